/*
 * Giving up rights: the object files are opened before this step, and read
 * after it, like all else that the collector does.
 *
 * Rule: the order of kore_worker_privdrop(): look up the user while its file
 * can be read, then the root directory, then groups before the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/collector.h"
#include "store/facts.h"

struct pp_files *
pp_collector_reach(int facts)
{
	struct pp_files *files;
	struct pp_object *object;

	if ((files = calloc(1, sizeof(*files))) == NULL)
		return (NULL);
	while (files->used < PP_OBJECTS_MAX) {
		object = &files->object[files->used];
		if (pp_arena_fact(facts, files->used, object) != 0)
			break;
		pp_symbols_reach(&files->found[files->used++], object->name,
		    object->build_id, object->build_id_len);
	}
	return (files);
}

void
pp_collector_know(struct pp_files *files, struct pp_symbols *symbols)
{
	const struct pp_object *object;
	int fd, debug_fd;
	uint32_t i;

	for (i = 0; i < files->used; i++) {
		object = &files->object[i];
		fd = pp_symbols_choose(&files->found[i], object->build_id,
		    object->build_id_len, &debug_fd);
		/*
		 * An object without a file (the vdso) is added, too: so it has
		 * a number.
		 */
		pp_symbols_add(symbols, object->build_id, object->build_id_len,
		    object->name, fd, debug_fd);
	}
	free(files);
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
