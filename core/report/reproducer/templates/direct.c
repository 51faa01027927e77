/* ---- O_DIRECT, writes that are looked at half-way, several at once ---- */

#include <linux/aio_abi.h>
#include <sched.h>
#include <sys/syscall.h>

/* Of both processes that write at once. */
static struct at_once {
	unsigned arrived;
	int64_t results[PARTS_MAX];
} * at_once;

static int open_direct(void)
{
	return open(files[0].name, O_RDWR | O_DIRECT);
}

/* What a direct write left out, plainly: its end need not be aligned. */
static void write_rest(uint64_t offset, uint64_t length, uint64_t begin)
{
	while (length) {
		ssize_t got = pwrite(files[0].fd, room + (offset - begin),
				     length, offset);

		if (got <= 0)
			could_not("write the rest of a direct write");
		offset += got;
		length -= got;
	}
}

static int direct_write(uint64_t offset, uint64_t length)
{
	int fd = open_direct();
	ssize_t got = fd < 0 ? -1 : pwrite(fd, room, length, offset);

	if (fd >= 0)
		close(fd);
	if (got < 0)
		return -1;
	write_rest(offset + got, length - got, offset);
	return 0;
}

static int direct_read(uint64_t offset, uint64_t length)
{
	int fd = open_direct();
	ssize_t got = fd < 0 ? -1 : pread(fd, room, length, offset);

	if (fd >= 0)
		close(fd);
	if (got < 0)
		return -1;
	compare_read("a direct read", offset, got);
	return 0;
}

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

/*
 * Stops at memory that cannot be read, and goes on where the position is then.
 * What was there before, and was not reached, must still be there.
 */
static void stopped_write(uint64_t offset, uint64_t length)
{
	static unsigned char data[sizeof(room)];
	uint64_t half = length / 2, readable = whole_pages(half), done;
	uint64_t reserved = readable + whole_pages(length - half);
	unsigned char *memory;
	ssize_t got;

	memcpy(data, room, length);
	memory = mmap(NULL, reserved, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED ||
	    mprotect(memory + readable, reserved - readable, PROT_NONE))
		could_not("map memory");
	memcpy(memory + readable - half, data, half);
	if (lseek(files[0].fd, offset, SEEK_SET) < 0)
		could_not("lseek");
	got = write(files[0].fd, memory + readable - half, length);
	munmap(memory, reserved);
	if (got < 0 && errno != EFAULT)
		could_not("write");
	done = max(got, 0);
	if (done)
		put(0, data, offset, done);
	if (offset < files[0].size) {
		got = pread(files[0].fd, room, files[0].size - offset, offset);
		if (got < 0)
			could_not("read");
		for (uint64_t i = done; i < min(length, (uint64_t)got); i++)
			if (!files[0].bytes[offset + i])
				room[i] = 0; /* is written over below */
		compare_read("a read after a write that stopped", offset, got);
	}
	for (; done < length; done += got) {
		got = write(files[0].fd, data + done, length - done);
		if (got <= 0)
			could_not("write");
	}
	put(0, data, offset, length);
}

static void write_back(unsigned char *at, uint64_t length)
{
	uint64_t lead = (uintptr_t)at % page_bytes;

	if (msync(at - lead, lead + length, MS_SYNC))
		could_not("msync");
}

/* Loaded, stored, synced, stored, synced, and read with O_DIRECT. */
static int mapped_rewrite(unsigned number, uint64_t offset, uint64_t length)
{
	uint64_t unit = direct_alignment, begin = offset / unit * unit;
	uint64_t whole = (length + unit - 1) / unit * unit, end;
	unsigned char *at;
	int failed = 0, fd;

	if (file_size(files[0].fd) < offset + length)
		return 0; /* the comparison will tell */
	at = map(offset, length);
	if (!at)
		return -1;
	compare("a mapping", 0, offset, at, length);
	fill(at, COUNT + number, offset, length);
	write_back(at, length);
	memcpy(at, room, length);
	write_back(at, length);
	put(0, room, offset, length);
	fd = open_direct();
	end = (files[0].size + unit - 1) / unit * unit;
	if (fd >= 0) {
		close(fd);
		failed = direct_read(begin, min(whole, end - begin));
	}
	unmap(at, offset, length);
	return failed;
}

static int both_are_there(void)
{
	return __atomic_load_n(&at_once->arrived, __ATOMIC_SEQ_CST) == 2;
}

/* Every second one in one io_submit(2), when the other is there, too. */
static void submit_parts(const struct iocb *parts, unsigned first,
			 unsigned count, pid_t other)
{
	struct iocb requests[PARTS_MAX], *pointers[PARTS_MAX];
	aio_context_t queue = 0;
	struct io_event event;
	unsigned mine = 0, begun = 0;
	long took;

	for (unsigned i = first; i < count; i += 2, mine++) {
		requests[mine] = parts[i];
		pointers[mine] = &requests[mine];
	}
	if (syscall(SYS_io_setup, PARTS_MAX, &queue))
		could_not("io_setup");
	__atomic_add_fetch(&at_once->arrived, 1, __ATOMIC_SEQ_CST);
	while (!both_are_there()) {
		siginfo_t ended = { 0 };

		if (other)
			waitid(P_PID, other, &ended,
			       WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid && !both_are_there())
			could_not("the other process ended");
		sched_yield();
	}
	for (unsigned next = 0; next < mine;) {
		took = syscall(SYS_io_submit, queue, mine - next,
			       pointers + next);
		if (took > 0) {
			next += took;
			begun += took;
		} else { /* the first of them was refused */
			at_once->results[pointers[next++]->aio_data] =
				took ? -errno : -EAGAIN;
		}
	}
	for (; begun; begun--) {
		do
			took = syscall(SYS_io_getevents, queue, 1L, 1L, &event,
				       NULL);
		while (took < 0 && errno == EINTR);
		if (took != 1)
			could_not("io_getevents");
		at_once->results[event.data] = event.res;
	}
	syscall(SYS_io_destroy, queue);
}

/*
 * Two processes hand every second one to the kernel, so that the first of one
 * meets the first of the other on their way in.
 */
static int direct_at_once(uint64_t offset, uint64_t length)
{
	uint64_t unit = direct_alignment;
	struct iocb parts[PARTS_MAX] = { 0 };
	unsigned count = 0, refused_parts = 0;
	int fd = open_direct(), status;
	pid_t other;

	if (fd < 0)
		return -1;
	if (!at_once)
		at_once = mmap(NULL, sizeof(*at_once), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at_once == MAP_FAILED)
		could_not("map memory");
	for (; count < PARTS_MAX && count * unit < length; count++) {
		parts[count].aio_data = count;
		parts[count].aio_lio_opcode = IOCB_CMD_PWRITE;
		parts[count].aio_fildes = fd;
		parts[count].aio_buf = (uintptr_t)(room + count * unit);
		parts[count].aio_nbytes = min(unit, length - count * unit);
		parts[count].aio_offset = offset + count * unit;
	}
	at_once->arrived = 0;
	other = fork_bound();
	submit_parts(parts, other ? 0 : 1, count, other);
	if (other == 0)
		_exit(NOTHING);
	while (waitpid(other, &status, 0) < 0)
		if (errno != EINTR)
			could_not("waitpid");
	if (WIFSIGNALED(status))
		could_not("a writer was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != NOTHING)
		_exit(WEXITSTATUS(status)); /* it has said why */
	close(fd);
	for (unsigned i = 0; i < count; i++)
		refused_parts += at_once->results[i] == -EINVAL;
	errno = EINVAL;
	if (refused_parts == count)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		int64_t got = at_once->results[i];

		errno = got < 0 ? -got : 0;
		if (got < 0)
			could_not("a direct write");
		write_rest(parts[i].aio_offset + got, parts[i].aio_nbytes - got,
			   offset);
	}
	return 0;
}
