/*
 * What the profiler itself costs: see doctor.h.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"
#include "service/doctor/doctor.h"
#include "service/endpoints/endpoint.h"

#define MIB (1024.0 * 1024.0)

/* Above these bounds of CPU time and of memory, the verdict is degraded. */
#define CPU_MUCH 0.05
#define RSS_MUCH (128 * MIB)

/* Above this part of the workers' CPU time, the verdict is degraded. */
#define HANDLER_MUCH 0.01

/* The resident memory of this process, in bytes; 0: not known. */
static double
cost_rss(const struct pp_service *service)
{
	char text[128], *at;
	ssize_t got;

	if (service->statm == -1)
		return (0);
	got = pread(service->statm, text, sizeof(text) - 1, 0);
	if (got <= 0)
		return (0);
	text[got] = '\0';
	if ((at = strchr(text, ' ')) == NULL)
		return (0);
	return (strtod(at, NULL) * (double)sysconf(_SC_PAGESIZE));
}

static void
cost_collector(struct pp_doctor *doctor)
{
	const struct pp_service *service = doctor->service;
	double up, cpu, rss = cost_rss(service);

	up = (double)(pp_clock_mono() - service->started_ns) / PP_NS_PER_SEC;
	cpu = (double)pp_clock_read(CLOCK_PROCESS_CPUTIME_ID) / PP_NS_PER_SEC;
	pp_doctor_say(doctor, "collector_cpu",
	    up > 60 && cpu > CPU_MUCH * up ? PP_VERDICT_DEGRADED
					   : PP_VERDICT_OK,
	    "The collector has run for %.0f s and used %.2f s of CPU, %.2f%% of "
	    "a core.",
	    up, cpu, up > 0 ? 100 * cpu / up : 0.0);
	if (rss > 0)
		pp_doctor_say(doctor, "collector_memory",
		    rss > RSS_MUCH ? PP_VERDICT_DEGRADED : PP_VERDICT_OK,
		    "The collector has %.1f MiB in memory.", rss / MIB);
	else
		pp_doctor_say(doctor, "collector_memory", PP_VERDICT_OK,
		    "How much memory the collector has is not known.");
	pp_doctor_say(doctor, "collector_bound",
	    pp_budget_keeps(PP_BUDGET_LARGE) ? PP_VERDICT_OK
					     : PP_VERDICT_DEGRADED,
	    "It keeps %.1f MiB of the %.0f that it may (PPROF_MEMORY_MIB): "
	    "profiles and traces up to three quarters, answers up to all.",
	    (double)pp_budget_used() / MIB, (double)pp_budget_bound() / MIB);
}

static void
cost_handler(struct pp_doctor *doctor)
{
	const struct pp_service *service = doctor->service;
	uint64_t samples = 0, ns = 0;
	const struct pp_slot *slot;
	double cpu = 0, part; /* of workers that may lie: no sum overflows */
	uint32_t i;
	int32_t pid;

	for (i = 1; i < service->slots; i++) {
		slot = &service->arena->slot[i];
		samples += atomic_load(&slot->samples);
		ns += atomic_load(&slot->samples_ns);
		cpu += (double)atomic_load(&slot->life.dead_cpu_ns);
		pid = atomic_load(&slot->life.pid);
		if (pid > 0)
			cpu += (double)pp_clock_process_cpu(pid);
	}
	if (samples == 0) {
		pp_doctor_say(doctor, "handler", PP_VERDICT_OK,
		    "No CPU sample was taken yet.");
		return;
	}
	part = cpu > 0 ? (double)ns / cpu : 0;
	pp_doctor_say(doctor, "handler",
	    part > HANDLER_MUCH && cpu > PP_NS_PER_SEC ? PP_VERDICT_DEGRADED
						       : PP_VERDICT_OK,
	    "A CPU sample took %.0f ns by the clock, with what interrupted "
	    "it, %llu of them %.3f s: %.3f%% of the %.1f s of CPU that the workers have used.",
	    (double)ns / (double)samples, (unsigned long long)samples,
	    (double)ns / PP_NS_PER_SEC, 100 * part, cpu / PP_NS_PER_SEC);
}

static void
cost_recorder(struct pp_doctor *doctor)
{
	struct pp_service *service = doctor->service;
	struct pp_recorder_facts facts;
	unsigned int hz = pp_recorder_hz(service->recorder);

	if (hz == 0) {
		pp_doctor_say(doctor, "recorder", PP_VERDICT_DEGRADED,
		    "The flight recorder is off: nothing is known of the "
		    "past.");
		return;
	}
	pp_recorder_measure(service->recorder, pp_clock_mono(), &facts);
	pp_doctor_say(doctor, "recorder",
	    facts.dropped > 0 ? PP_VERDICT_DEGRADED : PP_VERDICT_OK,
	    "The flight recorder runs at %u Hz and goes back %.0f s, in %.1f "
	    "MiB; %llu slices had no room.",
	    hz, (double)facts.reach_ns / PP_NS_PER_SEC,
	    (double)facts.bytes / MIB, (unsigned long long)facts.dropped);
}

void
pp_doctor_costs(struct pp_doctor *doctor)
{
	cost_recorder(doctor);
	cost_handler(doctor);
	cost_collector(doctor);
}
