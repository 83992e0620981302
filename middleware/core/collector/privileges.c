/*
 * Giving up rights: the object files are opened before, everything else is
 * done after.
 *
 * Rule: the order of kore_worker_privdrop(): look up the user while its file
 * can be read, then the root directory, then groups before the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/collector.h"
#include "store/objects.h"

void
pp_collector_preload(const struct pp_arena *arena, struct pp_symbols *symbols)
{
	const struct pp_objects *objects = &arena->slot[0].objects;
	struct pp_object object;
	int fd, debug_fd;
	uint32_t i;

	for (i = 0; i < PP_OBJECTS_MAX; i++) {
		if (pp_objects_read(objects, i, &object) != 0)
			continue;
		debug_fd = -1;
		fd = pp_symbols_open(object.name, object.build_id,
		    object.build_id_len, &debug_fd);
		/* Also without a file (the vdso): it then has a number. */
		pp_symbols_add(symbols, object.build_id, object.build_id_len,
		    object.name, fd, debug_fd);
	}
}

int
pp_collector_drop(const char *user, const char *root)
{
	struct passwd *pw = NULL;

	if (user != NULL && (pw = getpwnam(user)) == NULL) {
		pp_collector_log("--user=%s: no such user", user);
		return (-1);
	}
	if (root != NULL && (chroot(root) == -1 || chdir("/") == -1)) {
		pp_collector_log("--root=%s: %s", root, strerror(errno));
		return (-1);
	}
	if (pw != NULL &&
	    (setgroups(1, &pw->pw_gid) == -1 ||
		setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)) {
		pp_collector_log("--user=%s: %s", user, strerror(errno));
		return (-1);
	}
	return (0);
}
