/*
 * In Kore's parent process, this makes the arena and starts the collector
 * before the first worker, and takes note of the deaths of workers and of the
 * collector.
 *
 * Kore's calls of fork() and waitpid() arrive here. daemon() forks inside libc
 * and does not arrive here, so the first fork() that is seen is the first
 * worker's.
 *
 * Rule: the parent is root, so it believes nothing that it reads in the arena.
 */
#include <kore/kore.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ask.h"
#include "base/clock.h"
#include "base/wire.h"
#include "capture/self.h"
#include "capture/unwind.h"
#include "capture/unwind_lib.h"
#include "capture/wait.h"
#include "kore/abi.h"
#include "kore/adapter.h"
#include "store/deaths.h"

/* A collector that keeps dying is given up: after STARTS_MAX starts in a row
 * none of which lived for LIVED_NS. One that dies within AGAIN_MS is started
 * again after that time. */
#define STARTS_MAX 10
#define LIVED_NS   (60 * PP_NS_PER_SEC)
#define AGAIN_MS   1000

/* Both ends of the collector's socket are open in the parent: while the
 * collector is down, so many bytes of the workers' requests wait in the socket.
 */
#define SOCKET_BUFFER (1 << 20)

pid_t (*pp_parent_real_waitpid)(pid_t, int *, int);

/* How many processes of a slot have died, and the CPU time that they have used.
 * The arena has only a copy, which every worker can write over. */
static struct {
	uint32_t deaths;
	int64_t dead_cpu_ns;
} lives[PP_WORKERS_MAX + 1];

/* Pids of Kore's processes that were forked here and have not been reaped; 0: a
 * free place. */
#define CHILDREN_MAX (PP_WORKERS_MAX + KORE_WORKER_BASE)
static pid_t children[CHILDREN_MAX];

static int prepared;
static pid_t collector;
static int64_t collector_started;
static unsigned int starts;

static int
parent_make_sockets(void)
{
	int pair[2], size = SOCKET_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return (-1);
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pp_kore.socket = pair[0];
	pp_kore.collector_socket = pair[1];
	return (0);
}

/* Kore writes its process title over argv before the first fork. */
static char cmdline[PP_CMDLINE_MAX];
static size_t cmdline_len;

void
pp_parent_remember_cmdline(void)
{
	ssize_t got;
	int fd;

	fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	got = read(fd, cmdline, sizeof(cmdline));
	(void)close(fd);
	while (got > 0 && cmdline[got - 1] == '\0')
		got--;
	cmdline_len = got > 0 ? (size_t)got : 0;
}

static void
parent_describe(struct pp_arena *arena)
{
	(void)snprintf(arena->server, sizeof(arena->server), "kore %s",
	    kore_version);
	memcpy(arena->cmdline, cmdline, cmdline_len);
	arena->cmdline_len = (uint32_t)cmdline_len;
}

static void
parent_start_collector(void)
{
	starts++;
	collector_started = pp_clock_mono();
	collector = pp_launch_collector();
	if (collector == -1)
		collector = 0;
}

/* The value of perf_event_paranoid; -100: not known. */
static int32_t
parent_paranoid(void)
{
	char text[16];
	ssize_t got;
	int fd;

	fd = open("/proc/sys/kernel/perf_event_paranoid", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return (-100);
	got = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (got <= 0)
		return (-100);
	text[got] = '\0';
	return (atoi(text));
}

/* Tell the endpoint doctor, by the arena, what this process knows. */
static void
parent_publish(struct pp_arena *arena, int sandbox)
{
	arena->jiffy_ns = pp_self.jiffy_ns;
	arena->perf_paranoid = parent_paranoid();
	arena->perf_event = pp_self.perf_event != 0;
	arena->stackless = pp_unwind_backtrace == NULL;
	arena->sandbox_left = sandbox == -1;
	arena->chrooted = pp_abi_root() != NULL;
	arena->runas = pp_abi_user() != NULL;
}

static void
parent_prepare(void)
{
	unsigned int workers;
	int sandbox;

	prepared = 1;
	pp_pools_find();
	pp_self.perf_event = pp_given_perf_event();
	sandbox = pp_sandbox_rules();
	/* Kore counts keymgr and acme among its workers. */
	workers = worker_count > KORE_WORKER_BASE
	    ? worker_count - KORE_WORKER_BASE
	    : 1;
	if (workers > PP_WORKERS_MAX)
		workers = PP_WORKERS_MAX;
	pp_kore.arena = pp_arena_create(workers, &pp_kore.arena_fd);
	if (pp_kore.arena == NULL || parent_make_sockets() == -1) {
		pp_kore.broken = "no shared memory or socket could be made";
		pp_kore_log("%s (%s): no profiles", pp_kore.broken, errno_s);
		return;
	}
	pp_kore.arena_size = pp_kore.arena->size;
	pp_kore.slots = workers + 1;
	pp_kore.parent = getpid();
	parent_describe(pp_kore.arena);
	pp_given_read(pp_kore.arena);
	atomic_store(&pp_kore.arena->entry_refused, pp_kore.entry_refused);
	parent_publish(pp_kore.arena, sandbox);
	pp_self_start_parent(pp_kore.arena);
	pp_bind_listener();
	pp_relay_open();
	parent_start_collector();
}

/* The place of the child with that pid; with 0, a free place. -1: there is no
 * such place. */
static int
parent_child(pid_t pid)
{
	int i;

	for (i = 0; i < CHILDREN_MAX; i++) {
		if (children[i] == pid)
			return (i);
	}
	return (-1);
}

pid_t
pp_parent_fork(void)
{
	int place;
	pid_t pid;

	if (worker != NULL)
		return (pp_parent_real_fork());
	if (!prepared)
		parent_prepare();
	pp_kore.fork_stack = pp_wait_stack();
	pid = pp_parent_real_fork();
	/* smaps_rollup can only be opened now: chroot and setuid come next. */
	if (pid == 0)
		pp_kore.proc_fd =
		    open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	else if (pid > 0 && (place = parent_child(0)) != -1)
		children[place] = pid;
	return (pid);
}

/* Requests that wait will not be answered: their reply sockets are closed,
 * which tells the askers. */
static void
parent_drop_requests(void)
{
	char packet[PP_WIRE_PACKET_MAX];
	int fds[PP_WIRE_FDS_MAX], i;

	(void)fcntl(pp_kore.collector_socket, F_SETFL, O_NONBLOCK);
	while (pp_wire_recv(pp_kore.collector_socket, packet, sizeof(packet),
		   fds) > 0) {
		for (i = 0; i < PP_WIRE_FDS_MAX; i++) {
			if (fds[i] != -1)
				(void)close(fds[i]);
		}
	}
}

/* Nobody reads the rings any more, so the workers are told to stop filling
 * them.
 */
static void
parent_give_up(void)
{
	u_int16_t i;
	pid_t pid;

	if (pp_kore.collector_socket == -1)
		return;
	parent_drop_requests();
	/* This was the last descriptor of that end: from now on the workers'
	 * sends fail. */
	(void)close(pp_kore.collector_socket);
	pp_kore.collector_socket = -1;
	pp_bind_close();
	pp_kore_log("the collector died %u times, given up: no profiles until "
		    "a restart",
	    starts);
	atomic_store(&pp_kore.arena->control.cpu_period_ns, 0);
	for (i = KORE_WORKER_BASE; i < worker_count; i++) {
		/* Kore keeps the pid in memory that every worker can write, so
		 * only our own children are signalled. */
		pid = *(volatile pid_t *)&kore_worker_data((u_int8_t)i)->pid;
		if (pid > 1 && parent_child(pid) != -1)
			(void)pp_ask(pid, 0, PP_ASK_CONTROL);
	}
}

static void
parent_restart_collector(void)
{
	if (starts < STARTS_MAX)
		parent_start_collector();
	if (collector == 0)
		parent_give_up();
}

static void
parent_again(void *unused, u_int64_t now)
{
	(void)unused;
	(void)now;
	if (collector == 0)
		parent_restart_collector();
}

static void
parent_collector_died(int status)
{
	collector = 0;
	pp_kore_log("collector gone (%s %d)",
	    WIFSIGNALED(status) ? "signal" : "exit",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (pp_clock_mono() - collector_started > LIVED_NS)
		starts = 0;
	if (pp_clock_mono() - collector_started > AGAIN_MS * PP_NS_PER_MS)
		parent_restart_collector();
	else
		(void)kore_timer_add(parent_again, AGAIN_MS, NULL,
		    KORE_TIMER_ONESHOT);
}

/* Let the collector look at the slot of a worker that has died. If it watches
 * for stalls, it also looks by itself. */
static void
parent_report_death(void)
{
	const struct pp_wire_wake wake = { PP_WIRE_VERSION, PP_WIRE_WAKE };

	(void)pp_wire_send(pp_kore.socket, &wake, sizeof(wake), NULL, 0);
}

/* The slot of the process with that pid; 0: it has none. The answer comes from
 * Kore's own table, in memory that workers share, which Kore itself trusts. */
static uint32_t
parent_slot(pid_t pid)
{
	u_int16_t i;

	for (i = KORE_WORKER_BASE; i < worker_count; i++) {
		if (kore_worker_data((u_int8_t)i)->pid == pid)
			break;
	}
	i = (u_int16_t)(i - KORE_WORKER_BASE + 1);
	return (i < pp_kore.slots ? i : 0);
}

static void
parent_worker_died(pid_t pid, int status, const struct rusage *usage)
{
	int place = parent_child(pid);
	uint32_t number = parent_slot(pid);
	struct pp_slot *slot = &pp_kore.arena->slot[number];

	if (place != -1)
		children[place] = 0;
	if (place == -1 || number == 0)
		return;
	lives[number].dead_cpu_ns +=
	    (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * PP_NS_PER_SEC +
	    (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
	atomic_store(&slot->life.dead_cpu_ns, lives[number].dead_cpu_ns);
	pp_deaths_put(slot, ++lives[number].deaths, pid, status,
	    WIFSIGNALED(status));
	if (WIFSIGNALED(status))
		parent_report_death();
	atomic_store(&slot->life.pid, 0);
}

pid_t
pp_parent_waitpid(pid_t pid, int *status, int options)
{
	struct rusage usage;
	int local;
	pid_t got;

	if (worker != NULL || pp_kore.arena == NULL)
		return (pp_parent_real_waitpid(pid, status, options));
	local = 0;
	got = wait4(pid, &local, options, &usage);
	if (status != NULL)
		*status = local;
	if (got > 0 && (WIFEXITED(local) || WIFSIGNALED(local))) {
		if (got == collector)
			parent_collector_died(local);
		else
			parent_worker_died(got, local, &usage);
	}
	return (got);
}
