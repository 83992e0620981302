/*
 * See custom.h. Keys live in a private table, which ends with the process.
 *
 * An entry is taken by compare-and-swap of `key` from 0, under a lock for
 * threads that add. The store of `place`, which comes last, is a release and
 * pairs with the acquire load of `place` in custom_find(): `counter` is set. A
 * removal exchanges the word that it has found; the upper half counts how often
 * the entry was filled, and 2^32 fillings would have to lie between its two
 * steps.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mix.h"
#include "capture/custom.h"
#include "capture/label.h"
#include "capture/wait.h"
#include "store/waits.h"

#define PLACES 32
#define LOCKS  64

struct held {
	_Atomic uintptr_t key; /* 0: free; the address plus 1 */
	_Atomic uint32_t counter;
	/* Low half: index of the profile's name plus 1; 0: not set. High half:
	 * how often the low half was set, so that a late removal sees that the
	 * entry has another key. */
	_Atomic uint64_t place;
};

#define HELD_PLACE(word) ((uint32_t)(word))
#define HELD_TIMES(word) ((word) >> 32)

static struct held held[PP_CUSTOM_LIVE];

/* The names of the endpoints (service/endpoints.c), which the module answers.
 */
static const char *const taken[] = { "allocs", "assets", "block", "cmdline",
	"doctor", "goroutine", "heap", "mutex", "profile", "routes", "settings",
	"stalls", "symbol", "threadcreate", "trace" };

static int
custom_name_fits(const char *name)
{
	size_t len = strnlen(name, PP_CUSTOM_NAME_MAX), i;

	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(name, taken[i]) == 0)
			return (0);
	}

	if (len == 0 || len == PP_CUSTOM_NAME_MAX)
		return (0);
	for (; *name != '\0'; name++) {
		if (*name <= ' ' || *name > '~' || *name == '/')
			return (0);
	}
	return (1);
}

static int
custom_named(const struct pp_custom *custom, const char *name)
{
	uint32_t used = atomic_load(&custom->used), i;

	for (i = 0; i < used && i < PP_CUSTOM_MAX; i++) {
		if (strcmp(custom->name[i], name) == 0)
			return ((int)i);
	}
	return (-1);
}

/* One thread at a time adds a name, and a name is complete before `used` counts
 * it. */
static int
custom_new_name(struct pp_custom *custom, const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint32_t used;
	int place;

	(void)pthread_mutex_lock(&lock);
	place = custom_named(custom, name);
	used = atomic_load(&custom->used);
	if (place == -1 && used < PP_CUSTOM_MAX) {
		(void)snprintf(custom->name[used], sizeof(custom->name[used]),
		    "%s", name);
		atomic_store(&custom->used, used + 1);
		place = (int)used;
	}
	(void)pthread_mutex_unlock(&lock);
	return (place);
}

int
pp_custom_place(const char *name)
{
	struct pp_custom *custom;
	int place;

	if (pp_self.worker == 0) {
		errno = ENOTCONN;
		return (-1);
	}
	if (!custom_name_fits(name)) {
		errno = EINVAL;
		return (-1);
	}
	custom = &pp_self.slot->custom;
	place = custom_named(custom, name);
	if (place == -1 && (place = custom_new_name(custom, name)) == -1)
		errno = ENOSPC;
	return (place);
}

/* The hash mixes twice, so that neighbouring addresses do not crowd together.
 */
static uint64_t
custom_hash(uint32_t place, const void *key)
{
	return (pp_mix(pp_mix(0, (uint64_t)(uintptr_t)key), place));
}

/* The entry of the key, with the value of its `place` in *word; NULL: none. */
static struct held *
custom_find(uint32_t place, const void *key, uint64_t *word)
{
	uint64_t hash = custom_hash(place, key);
	struct held *h;
	uint32_t probe;

	for (probe = 0; probe < PLACES; probe++) {
		h = &held[(hash + probe) % PP_CUSTOM_LIVE];
		*word = atomic_load(&h->place);
		if (HELD_PLACE(*word) == place + 1 &&
		    atomic_load(&h->key) == (uintptr_t)key + 1)
			return (h);
	}
	return (NULL);
}

static struct held *
custom_claim(uint32_t place, const void *key)
{
	uint64_t hash = custom_hash(place, key);
	struct held *h;
	uintptr_t none;
	uint32_t probe;

	for (probe = 0; probe < PLACES; probe++) {
		h = &held[(hash + probe) % PP_CUSTOM_LIVE];
		none = 0;
		if (atomic_compare_exchange_strong(&h->key, &none,
			(uintptr_t)key + 1))
			return (h);
	}
	return (NULL);
}

/* If two threads add the same key, only one succeeds: a lock lies around the
 * lookup and the addition. Returns 0 or an errno. */
static int
custom_hold(uint32_t place, const void *key, const struct pp_counters *counters,
    struct pp_counter *counter)
{
	static pthread_mutex_t lock[LOCKS] = { [0 ... LOCKS - 1] =
						   PTHREAD_MUTEX_INITIALIZER };
	pthread_mutex_t *mine = &lock[custom_hash(place, key) % LOCKS];
	struct held *h = NULL;
	uint64_t word;
	int error = EEXIST;

	(void)pthread_mutex_lock(mine);
	if (custom_find(place, key, &word) == NULL) {
		h = custom_claim(place, key);
		error = ENOSPC;
	}
	if (h != NULL) {
		error = 0;
		atomic_fetch_add(&counter->value[PP_CUSTOM_VALUE_ADDED], 1);
		atomic_store(&h->counter,
		    (uint32_t)(counter - counters->counter));
		word = atomic_load(&h->place);
		atomic_store(&h->place,
		    (HELD_TIMES(word) + 1) << 32 | (place + 1));
	}
	(void)pthread_mutex_unlock(mine);
	return (error);
}

int
pp_custom_add(const char *name, const void *key, int skip)
{
	struct pp_counters counters;
	struct pp_counter *counter;
	uint64_t word;
	int place, error;

	place = pp_custom_place(name);
	if (place == -1)
		return (-1);
	/* This lookup comes first, so that no stack is taken in vain. */
	if (custom_find((uint32_t)place, key, &word) != NULL) {
		errno = EEXIST;
		return (-1);
	}
	counters = pp_counters_waits(&pp_self.slot->custom.counters);
	counter = pp_counters_at(&counters,
	    pp_wait_pack((enum pp_wait)place, pp_label_now,
		pp_wait_stack_skip(skip)));
	error = counter != NULL
	    ? custom_hold((uint32_t)place, key, &counters, counter)
	    : ENOSPC;
	if (error == 0)
		return (0);
	if (error == ENOSPC)
		pp_slot_lose(pp_self.slot, PP_LOSS_CUSTOM_DROPPED, 1);
	errno = error;
	return (-1);
}

int
pp_custom_remove(const char *name, const void *key)
{
	struct held *h;
	uint64_t word;
	uint32_t counter;
	int place;

	place = pp_custom_place(name);
	if (place == -1)
		return (-1);
	h = custom_find((uint32_t)place, key, &word);
	counter = h != NULL ? atomic_load(&h->counter) : 0;
	/* If two threads remove the same key, only one succeeds. */
	if (h == NULL ||
	    !atomic_compare_exchange_strong(&h->place, &word,
		HELD_TIMES(word) << 32)) {
		errno = ENOENT;
		return (-1);
	}
	atomic_store(&h->key, 0);
	if (counter < PP_WAIT_COUNTERS)
		atomic_fetch_add(&pp_self.slot->custom.counters.counter[counter]
				      .value[PP_CUSTOM_VALUE_REMOVED],
		    1);
	return (0);
}

void
pp_custom_start(void)
{
	struct pp_counters counters =
	    pp_counters_waits(&pp_self.slot->custom.counters);
	uint32_t used = pp_counters_used(&counters), i;

	for (i = 0; i < used; i++)
		atomic_store(
		    &counters.counter[i].value[PP_CUSTOM_VALUE_REMOVED],
		    atomic_load(
			&counters.counter[i].value[PP_CUSTOM_VALUE_ADDED]));
}
