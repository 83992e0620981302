/*
 * This puts the module's rules into Kore's seccomp filter. sandbox_rules.h
 * lists the rules and their reasons.
 *
 * The rules go in by kore_seccomp_filter() in the parent, before the first
 * worker is forked. No kore_seccomp_hook is defined, so the application keeps
 * its own. keymgr and acme drop all rules and are not touched.
 *
 * Rule: a rule allows a call, or answers the call with an errno.
 */
#include <kore/kore.h>
#include <kore/seccomp.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <linux/perf_event.h>

#include "capture/self.h"
#include "kore/adapter.h"
#include "kore/start/sandbox_rules.h"

enum when { ALWAYS, PERF };

static const struct rule {
	uint32_t call;
	enum when when;
	uint32_t answer;
	int argument;
	uint32_t value;
} rules[] = {
#define RULE(call, when, error, argument, value, name, why)                    \
	{ SYS_##call, when,                                                    \
		(error) == 0 ? SECCOMP_RET_ALLOW                               \
			     : SECCOMP_RET_ERRNO | (error),                    \
		argument, (uint32_t)(value) },
	PP_SANDBOX_RULES(RULE)
#undef RULE
#ifdef PP_SANITIZED
	/* AddressSanitizer makes these calls to find the end of the stack that
	 * an exception or a longjmp() leaves. Only the builds of
	 * tests/sanitize.mk have them. */
	{ SYS_sigaltstack, ALWAYS, SECCOMP_RET_ALLOW, -1, 0 },
	{ SYS_getrlimit, ALWAYS, SECCOMP_RET_ALLOW, -1, 0 },
	{ SYS_prlimit64, ALWAYS, SECCOMP_RET_ALLOW, -1, 0 },
#endif
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

/* The instructions of a rule with an argument. Kore keeps a pointer to
 * `program`.
 */
#define STEPS 5
static struct sock_filter program[RULES * STEPS];

/* The arguments are ints, so the low half of each register is compared. Returns
 * the number of instructions. */
static size_t
sandbox_rule(struct sock_filter *out, const struct rule *rule)
{
	const struct sock_filter plain[] = {
		KORE_BPF_CMP(rule->call, 0, 1),
		KORE_BPF_RET(rule->answer),
	};
	const struct sock_filter with[STEPS] = {
		KORE_BPF_CMP(rule->call, 0, STEPS - 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(offsetof(struct seccomp_data, args) +
			(size_t)rule->argument * sizeof(uint64_t) +
			ARGS_LO_OFFSET)),
		KORE_BPF_CMP(rule->value, 0, 1),
		KORE_BPF_RET(rule->answer),
		KORE_BPF_LOAD(nr, 0),
	};

	if (rule->argument == -1) {
		memcpy(out, plain, sizeof(plain));
		return (KORE_FILTER_LEN(plain));
	}
	memcpy(out, with, sizeof(with));
	return (STEPS);
}

int
pp_sandbox_rules(void)
{
	size_t used = 0, i;

	for (i = 0; i < RULES; i++) {
		if (rules[i].when == ALWAYS || pp_self.perf_event)
			used += sandbox_rule(program + used, &rules[i]);
	}
	if (kore_seccomp_filter("pprof", program, used) != KORE_RESULT_OK) {
		pp_kore_log("the sandbox has rules named \"pprof\" already: "
			    "ours are left out");
		return (-1);
	}
	return (0);
}
