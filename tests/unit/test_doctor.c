/*
 * service/doctor_*: what is in the arena, and the finding and verdict that it
 * makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/doctor.h"
#include "service_fixture.h"

static struct pp_doctor doctor;

static void
examine(void)
{
	memset(&doctor, 0, sizeof(doctor));
	doctor.service = service;
	pp_doctor_abilities(&doctor);
	pp_doctor_losses(&doctor);
	pp_doctor_costs(&doctor);
}

static const struct pp_finding *
finding(const char *name)
{
	uint32_t i;

	for (i = 0; i < doctor.findings; i++) {
		if (strcmp(doctor.finding[i].name, name) == 0)
			return (&doctor.finding[i]);
	}
	return (NULL);
}

/* The arena as it is now gives this finding. `words` separated by '|', all of
 * which are in the sentence. */
static void
expect(const char *name, enum pp_verdict verdict, const char *words)
{
	const struct pp_finding *found;
	char copy[256], *word, *rest = copy;

	examine();
	found = finding(name);
	if (found == NULL)
		fail_msg("no finding %s", name);
	if (found->verdict != verdict)
		fail_msg("%s is %s: %s", name, pp_verdict_names[found->verdict],
		    found->sentence);
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, "|")) != NULL) {
		if (strstr(found->sentence, word) == NULL)
			fail_msg("%s: no \"%s\" in: %s", name, word,
			    found->sentence);
	}
	assert_int_equal(found->sentence[strlen(found->sentence) - 1], '.');
	assert_true(strlen(found->sentence) < PP_FINDING_TEXT_MAX - 1);
	assert_true(pp_doctor_verdict(&doctor) >= verdict);
}

static void
each_group_of_entries_is_named(void **state)
{
	static const struct {
		uint32_t refused;
		enum pp_verdict verdict;
		const char *words, *without;
	} row[] = {
		{ 0, PP_VERDICT_OK, "followed", "PPROF" },
		{ PP_ENTRIES_MEMORY, PP_VERDICT_DEGRADED, "allocates",
		    "sleep" },
		{ PP_ENTRIES_FLIGHTS, PP_VERDICT_DEGRADED,
		    "PPROF_ENTRY_PATCH|puts to sleep", "allocates" },
		{ PP_ENTRIES_MARKS, PP_VERDICT_DEGRADED, "part of a trace",
		    "sleep" },
		{ PP_ENTRIES_MEMORY | PP_ENTRIES_FLIGHTS | PP_ENTRIES_MARKS,
		    PP_VERDICT_DEGRADED, "allocates|sleep|trace", "followed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		atomic_store(&c.f.arena->entry_refused, row[i].refused);
		expect("entry_patch", row[i].verdict, row[i].words);
		assert_null(
		    strstr(finding("entry_patch")->sentence, row[i].without));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_group_of_entries_is_named,
		    service_setup, service_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
