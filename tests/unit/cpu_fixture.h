/*
 * An arena of two workers that a test fills by itself, and the collector's
 * side of it. For the tests of cpu/cpu*.c.
 */
#ifndef CPU_FIXTURE_H
#define CPU_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/cpu_private.h"
#include "store/intern.h"
#include "store/objects.h"

#define MS 1000000ULL

/* Where the program and libc of every test process lie. */
#define EXE_START  0x555555555000ULL
#define LIBC_START 0x7ffff7c28000ULL
#define SEGMENT	   0x100000ULL

struct fixture {
	struct pp_arena *arena;
	int fd;
	struct pp_address_map *map;
	struct pp_cpu *cpu;
};

static __attribute__((unused)) struct pp_object
fixture_object(const char *name, uint64_t start, int build_id)
{
	struct pp_object object;

	memset(&object, 0, sizeof(object));
	object.name_len = (uint32_t)strlen(name);
	memcpy(object.name, name, object.name_len);
	object.bias = start - 0x1000;
	object.start = start;
	object.limit = start + SEGMENT;
	object.offset = 0x1000;
	if (build_id != 0) {
		object.build_id_len = 20;
		memset(object.build_id, build_id, 20);
	}
	return (object);
}

static __attribute__((unused)) int
fixture_load(struct fixture *f, uint32_t slot, const char *name, uint64_t start,
    int build_id)
{
	struct pp_object object = fixture_object(name, start, build_id);
	int fresh;

	return (pp_objects_add(&f->arena->slot[slot].objects, &object, &fresh));
}

static __attribute__((unused)) struct fixture
fixture_of(uint32_t workers)
{
	struct fixture f;
	uint32_t slot;

	f.arena = pp_arena_create(workers, &f.fd);
	f.map = pp_address_map_new();
	if (f.arena == NULL || f.map == NULL)
		abort();
	for (slot = 0; slot <= workers; slot++) {
		fixture_load(&f, slot, "/usr/bin/kore", EXE_START, 1);
		fixture_load(&f, slot, "/lib/libc.so.6", LIBC_START, 2);
	}
	f.cpu = pp_cpu_new(f.arena, f.fd, f.map);
	if (f.cpu == NULL)
		abort();
	return (f);
}

static __attribute__((unused)) struct fixture
fixture_new(void)
{
	return (fixture_of(2));
}

static __attribute__((unused)) void
fixture_free(struct fixture *f)
{
	pp_cpu_free(f->cpu);
	pp_address_map_free(f->map);
	pp_arena_detach(f->arena, f->arena->size);
	close(f->fd);
}

/* One record, as a worker puts it. */
static __attribute__((unused)) int
fixture_kind(struct fixture *f, enum pp_record kind, uint32_t slot, int pid,
    int tid, uint64_t weight, uint64_t label, const uint64_t *pc, uint32_t pcs)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];

	record[PP_CPU_WORD_TIME] = (uint64_t)pp_clock_mono();
	record[PP_CPU_WORD_THREAD] = (uint64_t)pid << 32 | (uint32_t)tid;
	record[PP_CPU_WORD_WEIGHT] = weight;
	record[PP_CPU_WORD_LABEL] = label;
	record[PP_CPU_WORD_INFLIGHT] = 0;
	if (pcs > 0)
		memcpy(&record[PP_CPU_WORD_FRAMES], pc, pcs * sizeof(*pc));
	return (pp_ring_put(&f->arena->slot[slot].cpu, kind, record,
	    PP_CPU_WORD_FRAMES + pcs));
}

/* One sample. */
static __attribute__((unused)) int
fixture_put(struct fixture *f, uint32_t slot, int pid, int tid, uint64_t weight,
    uint64_t label, const uint64_t *pc, uint32_t pcs)
{
	return (fixture_kind(f, PP_RECORD_CPU, slot, pid, tid, weight, label,
	    pc, pcs));
}

/* One sample with one frame in the program, `at` bytes into it. */
static __attribute__((unused)) int
fixture_leaf(struct fixture *f, uint32_t slot, int pid, int tid,
    uint64_t weight, uint64_t at)
{
	uint64_t pc = EXE_START + at;

	return (fixture_put(f, slot, pid, tid, weight, 0, &pc, 1));
}

static __attribute__((unused)) uint32_t
fixture_label(struct fixture *f, uint32_t slot, const char *text, size_t len)
{
	uint64_t words[PP_LABEL_SET_MAX / 8] = { 0 };
	struct pp_intern_table view =
	    pp_intern_labels(&f->arena->slot[slot].labels);

	memcpy(words, text, len);
	return (pp_intern_put(&view, words, (uint32_t)(len + 7) / 8));
}

static __attribute__((unused)) int64_t
profile_sum(const struct pp_profile *p, int value)
{
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i < p->samples; i++)
		sum += p->sample[i].value[value];
	return (sum);
}

/* Sum of a value over samples that have the label. */
static __attribute__((unused)) int64_t
profile_sum_label(const struct pp_profile *p, int value, const char *key,
    const char *text, int64_t number)
{
	const struct pp_label *label;
	int64_t sum = 0;
	uint32_t i, k;

	for (i = 0; i < p->samples; i++) {
		for (k = 0; k < p->sample[i].labels; k++) {
			label = &p->label[p->sample[i].first_label + k];
			if (strcmp(label->key, key) != 0)
				continue;
			if (text != NULL ? label->text != NULL &&
				    strcmp(label->text, text) == 0
					 : label->text == NULL &&
				    label->number == number)
				sum += p->sample[i].value[value];
		}
	}
	return (sum);
}

/* Value of a comment, or NULL. */
static __attribute__((unused)) const char *
profile_comment(const struct pp_profile *p, const char *key)
{
	size_t len = strlen(key);
	uint32_t i;

	for (i = 0; i < p->comments; i++) {
		if (strncmp(p->comment[i], key, len) == 0 &&
		    p->comment[i][len] == '=')
			return (p->comment[i] + len + 1);
	}
	return (NULL);
}

/* The location of frame `frame` of sample `sample`. */
static __attribute__((unused)) const struct pp_location *
profile_frame(const struct pp_profile *p, uint32_t sample, uint32_t frame)
{
	const struct pp_sample *s = &p->sample[sample];

	if (frame >= s->locations)
		return (NULL);
	return (&p->location[p->stack[s->first_location + frame] - 1]);
}

/* Whether the location is the one that says "[no stack]". */
static __attribute__((unused)) int
profile_is_no_stack(const struct pp_profile *p, const struct pp_location *at)
{
	return (at->lines == 1 && at->mapping == 0 &&
	    strcmp(p->function[p->line[at->first_line].function - 1].name,
		"[no stack]") == 0);
}

#endif
