/* ---- io_uring, and a gate before its workers ---- */

#include <liburing.h>

#define WRITE_ID 1
#define GATE_ID 2

static struct io_uring ring;
static char gate_path[64];

/*
 * The kernel hands a write that gave up to a worker. There is one, and it is
 * busy opening a FIFO for as long as the gate is closed: so what the attempt
 * left in the file can be looked at before the worker goes on.
 */
static void open_ring(int number)
{
	unsigned int workers[2] = { 1, 0 };
	int fifo, error = io_uring_queue_init(8, &ring, 0);
	char name[64];

	errno = -error;
	if (error < 0)
		could_not("io_uring_setup");
	error = io_uring_register_iowq_max_workers(&ring, workers);
	errno = -error;
	if (error < 0)
		could_not("limit the workers of io_uring (Linux 5.15)");
	/* Any filesystem will do for the FIFO, and it needs no name. */
	snprintf(name, sizeof(name), "gate-%d", number);
	if (mkfifo(name, 0600)) {
		snprintf(name, sizeof(name), "/tmp/repro-gate-%d", getpid());
		if (mkfifo(name, 0600))
			could_not("make a FIFO");
	}
	fifo = open(name, O_PATH | O_CLOEXEC);
	if (fifo < 0 || unlink(name))
		could_not("open the FIFO");
	snprintf(gate_path, sizeof(gate_path), "/proc/self/fd/%d", fifo);
}

static struct io_uring_sqe *next_sqe(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		could_not("the ring is full");
	return sqe;
}

static void submit(void)
{
	int error = io_uring_submit(&ring);

	errno = error < 0 ? -error : 0;
	if (error < 0)
		could_not("io_uring_enter");
}

static void close_gate(void)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_openat(sqe, AT_FDCWD, gate_path, O_RDONLY, 0);
	sqe->user_data = GATE_ID;
	sqe->flags |= IOSQE_ASYNC;
	submit();
}

/* Whether the write has completed within the submitting call. */
static int completed_inline(void)
{
	struct io_uring_cqe *cqe;

	return !io_uring_peek_cqe(&ring, &cqe) && cqe->user_data == WRITE_ID;
}

/* Lets the worker go on; returns the result of the write. */
static int64_t open_gate(void)
{
	int fifo = open(gate_path, O_RDWR | O_CLOEXEC), left = 2;
	int64_t result = 0;
	struct io_uring_cqe *cqe;

	if (fifo < 0)
		could_not("open the FIFO");
	while (left) {
		int error = io_uring_wait_cqe(&ring, &cqe);

		if (error == -EINTR)
			continue;
		errno = -error;
		if (error < 0)
			could_not("wait for a completion");
		if (cqe->user_data == WRITE_ID)
			result = cqe->res;
		else if (cqe->res >= 0)
			close(cqe->res);
		io_uring_cqe_seen(&ring, cqe);
		left--;
	}
	close(fifo);
	return result;
}

/* Makes the worker, and touches what the narrow moment will need. */
static void rehearse(void)
{
	struct io_uring_sqe *sqe;

	close_gate();
	sqe = next_sqe();
	io_uring_prep_nop(sqe);
	sqe->user_data = WRITE_ID;
	submit();
	open_gate();
	tighten(8 << 20);
	relieve();
}

/*
 * Submits an append with too little memory for it. Returns how far its attempt
 * got before it gave up; 0: not a byte, or all of it at once.
 */
static uint64_t submit_trapped(int fd, const uint64_t *words, unsigned count)
{
	struct io_uring_sqe *sqe;
	uint64_t before, left = 0;

	sqe = next_sqe();
	io_uring_prep_write(sqe, fd, words, count * 8, -1);
	sqe->user_data = WRITE_ID;
	before = file_size(fd);
	pace();
	wait_for_tick();
	tighten(headroom_bytes());
	arm(fd);
	submit();
	if (!completed_inline())
		left = file_size(fd) - before;
	relieve();
	return left;
}
