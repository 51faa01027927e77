/* append-interposed: another append between the two halves of one. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define WRITES 200
#define FILE_BYTES (4ull << 20)
#define MEMORY_BYTES (64ull << 20)
#define HEADROOM_BYTES 0
#define WRITE_MIN_BYTES 0
#define WRITE_MAX_BYTES 0
#define BETWEEN 0 /* 0: a small append, 1: ftruncate(), 2: fallocate() */
#define TORN_COUNTS 1
/* end of parameters */

#include "start.c"
#include "words.c"
#include "pressure.c"
#include "ring.c"

#define SMALL_BYTES_MAX 8192

static void come_between(int fd)
{
	static uint64_t words[SMALL_BYTES_MAX / 8];
	unsigned count = 128 + next_random() % (SMALL_BYTES_MAX / 8 - 128);
	uint64_t size = file_size(fd);

	if (BETWEEN == 1) {
		if (ftruncate(fd, size + count * 8))
			could_not("ftruncate");
	} else if (BETWEEN == 2) {
		if (fallocate(fd, 0, size, count * 8))
			could_not("fallocate");
	} else {
		fill(words, 1, journal->appends[1], count);
		acknowledge(1, write(fd, words, count * 8));
	}
}

/*
 * open(2): with O_APPEND "the modification of the file offset and the write
 * operation are performed as a single atomic step". The attempt stops part-way,
 * a small write() goes to the same file, and then the worker goes on.
 */
static void attempt(void)
{
	uint64_t *words;
	unsigned long exposed = 0, made = 0;
	char name[32];
	int files = 0;

	enter_cgroup();
	words = new_buffer();
	open_ring(0);
	rehearse();
	while (made < WRITES) {
		int fd, other;

		snprintf(name, sizeof(name), "file-%d", ++files);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
		other = open(name, O_WRONLY | O_APPEND);
		if (fd < 0 || other < 0)
			could_not("make %s", name);
		new_journal();
		while (made < WRITES && file_size(fd) < FILE_BYTES) {
			unsigned count = next_words();

			fill(words, 0, journal->appends[0], count);
			close_gate();
			if (submit_trapped(fd, words, count)) {
				exposed++;
				come_between(other);
			}
			acknowledge(0, open_gate());
			made++;
		}
		check_file(name, BETWEEN != 0);
		close(other);
		close(fd);
		unlink(name);
	}
	conclude(exposed, made, "appends stopped part-way");
}
