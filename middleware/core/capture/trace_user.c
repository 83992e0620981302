/*
 * See trace_user.h. Open regions and tasks are remembered for one recording
 * only: in the next recording none is open, since no reader has seen one begin.
 */
#include <string.h>

#include "capture/trace.h"
#include "capture/trace_user.h"

static __thread struct {
	uint32_t recording; /* pp_trace_on, for which the rest holds */
	uint32_t regions;   /* open */
	uint64_t written;   /* one bit for each region: its begin was */
	uint32_t tasks;
	uint64_t task[PP_TRACE_TASKS_MAX];
} user;

static void
user_check(void)
{
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);

	if (user.recording == on)
		return;
	user.recording = on;
	user.regions = user.tasks = 0;
}

static uint64_t
user_task_now(void)
{
	return (user.tasks != 0 ? user.task[user.tasks - 1] : pp_self_request);
}

/* Puts the text at `to`, NUL padded to whole words, and returns its bytes. If
 * the text is too long, it ends before the character that does not fit. */
static uint32_t
user_text(uint64_t *to, const char *text)
{
	size_t len = strnlen(text, PP_TRACE_TEXT_MAX + 1);

	if (len > PP_TRACE_TEXT_MAX) {
		len = PP_TRACE_TEXT_MAX;
		while (len > PP_TRACE_TEXT_MAX - 4 &&
		    ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	if (len != 0)
		to[(len - 1) / sizeof(*to)] = 0;
	memcpy(to, text, len);
	return ((uint32_t)len);
}

static uint32_t
words_of(uint32_t bytes)
{
	return ((bytes + 7) / 8);
}

int
pp_trace_user_task(uint64_t id, const char *type)
{
	uint64_t record[PP_TRACE_RECORD_MAX];
	uint32_t len;

	user_check();
	record[2] = id;
	record[3] = user_task_now();
	len = user_text(record + 4, type);
	if (pp_trace_write(PP_TRACE_USER_TASK, len, 0, record,
		4 + words_of(len)) == -1)
		return (-1);
	if (user.tasks < PP_TRACE_TASKS_MAX)
		user.task[user.tasks++] = id;
	return (0);
}

void
pp_trace_user_task_end(uint64_t id)
{
	uint32_t i;

	user_check();
	for (i = 0; i < user.tasks && user.task[i] != id; i++)
		;
	if (i < user.tasks) {
		user.tasks--;
		memmove(&user.task[i], &user.task[i + 1],
		    (user.tasks - i) * sizeof(user.task[0]));
	}
	pp_trace(PP_TRACE_USER_TASK_END, 0, 0, id);
}

void
pp_trace_user_region(const char *type)
{
	uint64_t record[PP_TRACE_RECORD_MAX], bit;
	uint32_t len;

	user_check();
	if (user.regions++ >= PP_TRACE_REGIONS_MAX)
		return;
	bit = 1ULL << (user.regions - 1);
	record[2] = user_task_now();
	len = user_text(record + 3, type);
	if (pp_trace_write(PP_TRACE_USER_REGION, len, 0, record,
		3 + words_of(len)) == 0)
		user.written |= bit;
	else
		user.written &= ~bit;
}

void
pp_trace_user_region_end(void)
{
	user_check();
	if (user.regions == 0 || user.regions-- > PP_TRACE_REGIONS_MAX)
		return;
	if ((user.written >> user.regions & 1) != 0)
		pp_trace(PP_TRACE_USER_REGION_END, 0, 0);
}

void
pp_trace_user_log(const char *category, const char *message)
{
	uint64_t record[PP_TRACE_RECORD_MAX];
	uint32_t first, second;

	user_check();
	record[2] = user_task_now();
	first = user_text(record + 3, category);
	second = user_text(record + 3 + words_of(first), message);
	(void)pp_trace_write(PP_TRACE_USER_LOG, first, second, record,
	    3 + words_of(first) + words_of(second));
}

void
pp_trace_user_returned(void)
{
	user_check();
	while (user.regions != 0)
		pp_trace_user_region_end();
	user.tasks = 0;
}
