/*
 * What this profiler can and cannot do here and now: findings, each with a
 * verdict and a sentence. ep_doctor.c writes the findings.
 *
 *     ok        as it is meant to be
 *     degraded  something is missing, less exact or lost
 *     broken    a kind of answer is not there, or wrong
 *
 * Rule: a finding says a number that was read now. If a number cannot be known,
 * the finding says so.
 */
#ifndef PP_SERVICE_DOCTOR_DOCTOR_H
#define PP_SERVICE_DOCTOR_DOCTOR_H

#include <stdint.h>

struct pp_service;

#define PP_FINDINGS_MAX	    96
#define PP_FINDING_TEXT_MAX 400

enum pp_verdict { PP_VERDICT_OK, PP_VERDICT_DEGRADED, PP_VERDICT_BROKEN };

struct pp_finding {
	const char *name; /* a constant, or the service's */
	enum pp_verdict verdict;
	char sentence[PP_FINDING_TEXT_MAX];
};

struct pp_doctor {
	struct pp_service *service;
	uint32_t question; /* of pp_memory_ask() */
	uint32_t findings;
	struct pp_finding finding[PP_FINDINGS_MAX];
};

extern const char *const pp_verdict_names[];

/* Add a finding; findings beyond PP_FINDINGS_MAX are left out. */
void pp_doctor_say(struct pp_doctor *doctor, const char *name,
    enum pp_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Returns the worst of all verdicts. */
enum pp_verdict pp_doctor_verdict(const struct pp_doctor *doctor);

/*
 * What the profiler can do: clocks, stacks, hooks, sandbox, names. In
 * doctor_can.c.
 */
void pp_doctor_abilities(struct pp_doctor *doctor);

/*
 * How exact profiles are: losses, tables, CPU time and memory beside the
 * accounts of kernel and allocator. In doctor_losses.c.
 */
void pp_doctor_losses(struct pp_doctor *doctor);

/* What the profiler costs. In doctor_cost.c. */
void pp_doctor_costs(struct pp_doctor *doctor);

/* Returns the i-th file in which names are looked up; 0: there is no such file.
 */
int pp_doctor_object(const struct pp_service *service, int i,
    struct pp_finding *out);

#endif
