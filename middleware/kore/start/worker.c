/*
 * The beginning of a worker, after chroot and setuid and before seccomp.
 *
 * Kore's last call before the sandbox is closed is prctl(PR_SET_NO_NEW_PRIVS),
 * which arrives here. By then Kore has said which process this is.
 *
 * Rule: keymgr and acme keep no slot, no descriptor and no arena.
 */
#include <kore/kore.h>

#include <sys/prctl.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "capture/self.h"
#include "kore/adapter.h"

int (*pp_worker_real_prctl)(int, ...);

static void
worker_close(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static void
worker_hand_over_proc(void)
{
	struct pp_wire_proc packet = { .version = PP_WIRE_VERSION,
		.kind = PP_WIRE_PROC,
		.worker = pp_self.worker,
		.pid = pp_self.pid };

	if (pp_kore.proc_fd != -1 && pp_kore.socket != -1)
		(void)pp_wire_send(pp_kore.socket, &packet, sizeof(packet),
		    &pp_kore.proc_fd, 1);
	worker_close(&pp_kore.proc_fd);
}

static void
worker_begin(void)
{
	uint32_t id;

	worker_close(&pp_kore.listen_fd);
	pp_relay_leave();
	if (pp_kore.arena == NULL) {
		worker_close(&pp_kore.proc_fd);
		return;
	}
	worker_close(&pp_kore.arena_fd);
	worker_close(&pp_kore.collector_socket);
	/* Kore keeps the number in memory that its processes share, so it is
	 * read once. */
	id = *(volatile u_int16_t *)&worker->id;
	if (id != 0 && id < pp_kore.slots) {
		pp_self_start(pp_kore.arena, id);
		atomic_store(&pp_self.slot->life.fork_stack,
		    pp_kore.fork_stack);
		pp_inflight_start();
		pp_loop_start();
		worker_hand_over_proc();
		return;
	}
	/* keymgr and acme hold private keys, so nothing of ours stays there. */
	worker_close(&pp_kore.socket);
	worker_close(&pp_kore.proc_fd);
	pp_arena_detach(pp_kore.arena, pp_kore.arena_size);
	pp_kore.arena = NULL;
}

int
pp_worker_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
    unsigned long d)
{
	if (option == PR_SET_NO_NEW_PRIVS && worker != NULL &&
	    pp_self.slot == NULL)
		worker_begin();
	return (pp_worker_real_prctl(option, a, b, c, d));
}

/*
 * This process has loaded an object that the slot did not know. The collector
 * cannot open the file any more (chroot, rights), so the file is handed over.
 * If that fails, the functions of the object show as addresses.
 */
void
pp_worker_object_seen(const struct pp_object *object)
{
	struct {
		struct pp_wire_object head;
		char name[PP_OBJECT_NAME_MAX];
	} packet;
	int fd;

	if (pp_kore.socket == -1)
		return;
	fd = open(object->name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	memset(&packet, 0, sizeof(packet));
	packet.head.version = PP_WIRE_VERSION;
	packet.head.kind = PP_WIRE_OBJECT;
	packet.head.build_id_len = object->build_id_len;
	packet.head.name_len = object->name_len;
	memcpy(packet.head.build_id, object->build_id, PP_BUILD_ID_MAX);
	memcpy(packet.name, object->name, object->name_len);
	(void)pp_wire_send(pp_kore.socket, &packet,
	    sizeof(packet.head) + object->name_len, &fd, 1);
	(void)close(fd);
}
