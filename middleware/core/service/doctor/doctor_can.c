/*
 * What the profiler can do: see doctor.h. The results of each attempt are in
 * the arena: the parent tries at the start, and the workers later.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/doctor/doctor.h"
#include "service/endpoints/endpoint.h"

const char *const pp_verdict_names[] = { "ok", "degraded", "broken" };

void
pp_doctor_say(struct pp_doctor *doctor, const char *name,
    enum pp_verdict verdict, const char *format, ...)
{
	struct pp_finding *finding;
	va_list args;

	if (doctor->findings == PP_FINDINGS_MAX)
		return;
	finding = &doctor->finding[doctor->findings++];
	finding->name = name;
	finding->verdict = verdict;
	va_start(args, format);
	vsnprintf(finding->sentence, sizeof(finding->sentence), format, args);
	va_end(args);
}

enum pp_verdict
pp_doctor_verdict(const struct pp_doctor *doctor)
{
	enum pp_verdict worst = PP_VERDICT_OK;
	uint32_t i;

	for (i = 0; i < doctor->findings; i++) {
		if (doctor->finding[i].verdict > worst)
			worst = doctor->finding[i].verdict;
	}
	return (worst);
}

static void
can_workers(struct pp_doctor *doctor)
{
	const struct pp_service *service = doctor->service;
	uint32_t slot, running = 0, wanted = 0;
	uint64_t deaths = 0;

	for (slot = 1; slot < service->slots; slot++, wanted++) {
		running +=
		    atomic_load(&service->arena->slot[slot].life.pid) > 0;
		deaths += atomic_load(&service->arena->slot[slot].life.deaths);
	}
	pp_doctor_say(doctor, "workers",
	    running == wanted ? PP_VERDICT_OK
		: running > 0 ? PP_VERDICT_DEGRADED
			      : PP_VERDICT_BROKEN,
	    "%u of %u workers run; %llu have ended before.", running, wanted,
	    (unsigned long long)deaths);
}

static uint32_t
clocks_seen(const struct pp_service *service)
{
	uint32_t slot, seen = 0;

	for (slot = 1; slot < service->slots; slot++)
		seen |= atomic_load(&service->arena->slot[slot].clocks);
	return (seen);
}

static void
can_timers(struct pp_doctor *doctor, uint32_t seen)
{
	if (seen & PP_CLOCK_TIMER_REFUSED)
		pp_doctor_say(doctor, "timers", PP_VERDICT_BROKEN,
		    "The kernel refused a thread a CPU timer: its CPU time is "
		    "in no profile.");
	else if (seen & PP_CLOCK_TIMER)
		pp_doctor_say(doctor, "timers", PP_VERDICT_OK,
		    "CPU timers of threads work.");
	else
		pp_doctor_say(doctor, "timers", PP_VERDICT_OK,
		    "No thread has needed a CPU timer yet: nothing was "
		    "sampled.");
}

/* This finding is about rates above the tick. */
static void
can_fast(struct pp_doctor *doctor, uint32_t seen)
{
	const struct pp_arena *arena = doctor->service->arena;

	if (arena->perf_event == 0)
		pp_doctor_say(doctor, "perf_event", PP_VERDICT_OK,
		    "perf_event_open is not used (PPROF_PERF_EVENT): rates "
		    "above the tick come from a timer of wall time of each "
		    "thread that works.");
	else if (seen & PP_CLOCK_PERF)
		pp_doctor_say(doctor, "perf_event", PP_VERDICT_OK,
		    "perf_event_open works, at the price of a descriptor for "
		    "each thread that works.");
	else if (seen & PP_CLOCK_WALL)
		pp_doctor_say(doctor, "perf_event", PP_VERDICT_DEGRADED,
		    "perf_event_open was refused (kernel.perf_event_paranoid "
		    "is %d) though PPROF_PERF_EVENT asks for it: a timer of "
		    "wall time takes its place.",
		    arena->perf_paranoid);
	else
		pp_doctor_say(doctor, "perf_event", PP_VERDICT_OK,
		    "perf_event_open was not needed yet; no rate above the "
		    "tick was asked for.");
}

static void
can_rate(struct pp_doctor *doctor)
{
	const struct pp_service *service = doctor->service;
	int64_t jiffy = service->arena->jiffy_ns;
	unsigned int highest, asked;

	if (jiffy <= 0 || jiffy > PP_NS_PER_SEC)
		jiffy = 10 * PP_NS_PER_MS;
	highest = (unsigned int)(PP_NS_PER_SEC / jiffy);
	pp_doctor_say(doctor, "tick", PP_VERDICT_OK,
	    "The kernel's tick is %.1f ms: up to %u samples a second of one "
	    "thread come from its CPU timer, which wakes nobody.",
	    (double)jiffy / PP_NS_PER_MS, highest);
	asked = pp_recorder_hz(service->recorder);
	if (asked > highest)
		pp_doctor_say(doctor, "recorder_rate", PP_VERDICT_DEGRADED,
		    "PPROF_RECORDER_HZ is %u, above the tick's %u: every "
		    "thread has a finer clock all the time, which costs more "
		    "than it tells.",
		    asked, highest);
	if (service->fast_asked != 0)
		pp_doctor_say(doctor, "rate_above_tick",
		    service->fast_got < 0.9 * service->fast_asked
			? PP_VERDICT_DEGRADED
			: PP_VERDICT_OK,
		    "The last profile above the tick asked for %u Hz and had "
		    "%.0f; its nanoseconds are right in each case.",
		    service->fast_asked, service->fast_got);
}

static void
can_entries(struct pp_doctor *doctor)
{
	static const struct {
		enum pp_entries bit;
		const char *what;
	} group[] = {
		{ PP_ENTRIES_MEMORY, "what kore allocates by itself" },
		{ PP_ENTRIES_INFLIGHT,
		    "requests that kore itself puts to sleep, wakes or ends" },
		{ PP_ENTRIES_CALLS,
		    "tasks and timers that the program itself makes" },
		{ PP_ENTRIES_CURL, "that a request waits for libcurl" },
		{ PP_ENTRIES_ANSWERS, "bytes that kore itself answers" },
		{ PP_ENTRIES_INSTANTS,
		    "the server's own part of a trace, and requests for "
		    "profiles before it is their turn" },
	};
	uint32_t refused = atomic_load(&doctor->service->arena->entry_refused);
	char what[PP_FINDING_TEXT_MAX * 3 / 4] = "";
	size_t i;

	for (i = 0; i < sizeof(group) / sizeof(group[0]); i++) {
		if ((refused & group[i].bit) != 0)
			(void)strcat(strcat(what, *what != '\0' ? "; " : ""),
			    group[i].what);
	}
	if (*what == '\0')
		pp_doctor_say(doctor, "entry_patch", PP_VERDICT_OK,
		    "kore's own functions are followed at their entries.");
	else
		pp_doctor_say(doctor, "entry_patch", PP_VERDICT_DEGRADED,
		    "Jumps could not be written over kore's own functions, or "
		    "PPROF_ENTRY_PATCH=0; not seen, only what modules do: %s.",
		    what);
}

static void
can_threads(struct pp_doctor *doctor, uint32_t seen)
{
	int refused = (seen & PP_TGKILL_REFUSED) != 0;

	pp_doctor_say(doctor, "thread_stacks",
	    refused ? PP_VERDICT_DEGRADED : PP_VERDICT_OK,
	    refused
		? "The kernel refused to signal a single thread (rt_tgsigqueueinfo): "
		  "/goroutine has no stacks of most threads."
		: "Threads are asked for their stacks by a signal each.");
}

/* If both use SIGPROF, that is no fault: both get their signals. */
static void
can_sigprof(struct pp_doctor *doctor, uint32_t seen)
{
	static const struct {
		enum pp_clock_seen bit;
		const char *what;
	} use[] = {
		{ PP_SIGPROF_HANDLED, "handles it" },
		{ PP_SIGPROF_CAME, "has got one" },
		{ PP_SIGPROF_BLOCKED, "blocks it" },
		{ PP_SIGPROF_AWAITED, "waits for it" },
	};
	char what[PP_FINDING_TEXT_MAX / 2] = "";
	size_t i;

	for (i = 0; i < sizeof(use) / sizeof(use[0]); i++) {
		if ((seen & use[i].bit) != 0)
			(void)strcat(strcat(what, *what != '\0' ? ", " : ""),
			    use[i].what);
	}
	pp_doctor_say(doctor, "sigprof", PP_VERDICT_OK,
	    *what == '\0'
		? "The application has no use for SIGPROF.%s"
		: "SIGPROF is also the application's: it %s. It gets its own, "
		  "and none of ours.",
	    what);
}

static void
can_server(struct pp_doctor *doctor)
{
	const struct pp_arena *arena = doctor->service->arena;

	pp_doctor_say(doctor, "unwinder",
	    arena->stackless ? PP_VERDICT_BROKEN : PP_VERDICT_OK,
	    arena->stackless
		? "libunwind could not be loaded: stacks have one frame."
		: "libunwind is loaded: stacks are whole.");
	can_entries(doctor);
	pp_doctor_say(doctor, "sandbox",
	    arena->sandbox_left ? PP_VERDICT_BROKEN : PP_VERDICT_OK,
	    arena->sandbox_left
		? "Kore did not take our seccomp rules: a worker may die of "
		  "its first sample."
		: "Kore's seccomp filter has our rules.");
	pp_doctor_say(doctor, "privileges", PP_VERDICT_OK,
	    "Workers and collector %s chroot and run as %s.",
	    arena->chrooted ? "are in a" : "are in no",
	    arena->runas ? "another user than the parent"
			 : "the parent's user");
}

int
pp_doctor_object(const struct pp_service *service, int i,
    struct pp_finding *out)
{
	struct pp_symbols_file file;

	if (pp_symbols_file(service->symbols, i, &file) == -1)
		return (0);
	out->name = file.name;
	out->verdict = file.has_dwarf ? PP_VERDICT_OK
	    : file.has_symbols	      ? PP_VERDICT_DEGRADED
				      : PP_VERDICT_BROKEN;
	snprintf(out->sentence, sizeof(out->sentence),
	    "%s; of %llu addresses asked for %llu had a name.",
	    file.has_dwarf ? "functions, files and lines"
		: file.has_symbols
		? "names of functions that are in its symbol table, no lines"
		: "no symbols: addresses only",
	    (unsigned long long)(file.resolved + file.unresolved),
	    (unsigned long long)file.resolved);
	return (1);
}

static void
can_names(struct pp_doctor *doctor)
{
	struct pp_symbols_file file;
	uint64_t named = 0, nameless = 0, files = 0, lines = 0;
	double part;
	int i;

	for (i = 0; pp_symbols_file(doctor->service->symbols, i, &file) == 0;
	     i++) {
		files++;
		lines += file.has_dwarf != 0;
		named += file.resolved;
		nameless += file.unresolved;
	}
	part = named + nameless == 0
	    ? 0
	    : (double)nameless / (double)(named + nameless);
	pp_doctor_say(doctor, "symbols",
	    files == 0 || part > 0.5 ? PP_VERDICT_BROKEN
		: part > 0.2	     ? PP_VERDICT_DEGRADED
				     : PP_VERDICT_OK,
	    "%llu of %llu files have lines; of %llu addresses asked for so far "
	    "%llu have no name.",
	    (unsigned long long)lines, (unsigned long long)files,
	    (unsigned long long)(named + nameless),
	    (unsigned long long)nameless);
}

/* Whether the symbols of this file come from the distribution. */
static int
names_of_system(const char *name)
{
	static const char *const folder[] = { "/usr/", "/lib", "/bin/",
		"/sbin/" };
	size_t i;

	for (i = 0; i < sizeof(folder) / sizeof(folder[0]); i++) {
		if (strncmp(name, folder[i], strlen(folder[i])) == 0)
			return (1);
	}
	return (*name != '/'); /* the kernel's vdso */
}

/* The application's own files: whether a profile of the application has lines.
 */
static void
can_modules(struct pp_doctor *doctor)
{
	enum pp_verdict worst = PP_VERDICT_OK;
	char first[PP_FINDING_TEXT_MAX / 2] = "";
	struct pp_finding object;
	uint32_t files = 0, bad = 0;
	int i;

	for (i = 0; pp_doctor_object(doctor->service, i, &object); i++) {
		if (names_of_system(object.name))
			continue;
		files++;
		if (object.verdict == PP_VERDICT_OK)
			continue;
		if (bad++ == 0)
			snprintf(first, sizeof(first), "; the first is %s",
			    object.name);
		if (object.verdict > worst)
			worst = object.verdict;
	}
	pp_doctor_say(doctor, "modules", worst,
	    "Of %u files that are not in /usr or /lib, %u have no lines%s.",
	    files, bad, first);
}

void
pp_doctor_abilities(struct pp_doctor *doctor)
{
	uint32_t seen = clocks_seen(doctor->service);

	can_workers(doctor);
	can_timers(doctor, seen);
	can_fast(doctor, seen);
	can_rate(doctor);
	can_threads(doctor, seen);
	can_sigprof(doctor, seen);
	can_server(doctor);
	can_names(doctor);
	can_modules(doctor);
}
