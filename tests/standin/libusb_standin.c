/* A stand-in for libusb-1.0.so.0 that is its own USB host: devices are what USB/IP servers export, and the
 * transfers go over TCP in this process. No kernel, no root, no virtual machine; for tests and measurements.
 *
 * It serves the calls that NUT's drivers, pyusb and ours make, with libusb's meaning: one thread at a time in
 * a device's transfer, many devices side by side. Interfaces have to be claimed as from a kernel, but a
 * transfer does not ask whose its interface is (both claim first). Of asynchronous transfers there is one for each
 * device, on an IN endpoint, without a timeout; `user_data` points to the `completed` that its thread waits
 * for, as with libusb's own synchronous calls. No hotplug, no isochronous transfers.
 *
 *   STANDIN_DEVICES  HOST:PORT/BUSID, more of them after commas: what is plugged in. An address that no one
 *                    answers at is an empty socket; it is tried again at each libusb_get_device_list().
 *   STANDIN_CACHE    a folder that keeps descriptors, so that the enumeration which a kernel does once at
 *                    plug-in is not paid (and not counted) by every process
 *   STANDIN_KERNEL   "none": no kernel driver holds the HID interfaces at plug-in (else one does)
 *
 * Protocol: Linux, Documentation/usb/usbip_protocol.rst, version 1.1.1. Interface: libusb's public header.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <libusb-1.0/libusb.h>

#define EXPORT __attribute__((visibility("default")))

enum { SLOTS = 64, INTERFACES = 32, SETTINGS = 64, ENDPOINTS = 128, HEADER = 48, DESCRIPTORS = 16384 };
enum { BUS = 250 };                               /* no number that this machine's own USB may have */
enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };
enum { ENUMERATION_MS = 5000, UNLINK_MS = 5000, IMPORT_SECONDS = 3 };

struct interface {
	bool kernel;                                 /* a kernel driver holds it */
	const struct libusb_device_handle *owner;    /* or a process does */
	bool give_back;                              /* to the kernel's driver when the owner lets go */
};

struct libusb_device {
	int references, slot, address, speed, configuration;
	pthread_mutex_t busy;                        /* held during a transfer, and to change what follows */
	int socket;                                  /* -1: unplugged */
	uint32_t id, sequence;
	struct libusb_transfer *standing;            /* the asynchronous one, while it is under way */
	uint32_t standing_sequence;
	int rouse;                                   /* readable: libusb_interrupt_event_handler() was called */
	struct interface interfaces[INTERFACES];
	size_t length;
	unsigned char descriptors[DESCRIPTORS];      /* of the device, then of its configurations */
};

struct libusb_device_handle {
	struct libusb_device *device;
	bool detach;
};

struct slot {
	char host[128], port[16], bus_id[32];
	struct libusb_device *device;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t plugs = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];
static int slot_count, next_address = 1;

static void read_environment(void)
{
	const char *value = getenv("STANDIN_DEVICES");
	char *copy = strdup(value ? value : ""), *rest = NULL;

	for (char *word = strtok_r(copy, ",", &rest); word && slot_count < SLOTS; word = strtok_r(NULL, ",", &rest)) {
		struct slot *slot = &slots[slot_count];

		if (sscanf(word, "%127[^:]:%15[^/]/%31s", slot->host, slot->port, slot->bus_id) == 3)
			slot_count++;
		else
			fprintf(stderr, "libusb stand-in: not HOST:PORT/BUSID: %s\n", word);
	}
	free(copy);
}

static long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static unsigned le16(const unsigned char *at) { return at[0] | at[1] << 8; }

static uint32_t be32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

static void put32(unsigned char *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

/* ------------------------------------------------------------------ the wire, device->busy held */

static bool send_all(int fd, const void *head, size_t head_length, const void *body, size_t body_length)
{
	struct iovec parts[2] = { { (void *)head, head_length }, { (void *)body, body_length } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	while (parts[0].iov_len + parts[1].iov_len) {
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		for (int i = 0; i < 2; i++) {
			size_t done = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;

			parts[i].iov_base = (char *)parts[i].iov_base + done;
			parts[i].iov_len -= done;
			sent -= (ssize_t)done;
		}
	}
	return true;
}

static bool receive_all(int fd, void *data, size_t length)
{
	while (length) {
		ssize_t got = recv(fd, data, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		data = (char *)data + got;
		length -= (size_t)got;
	}
	return true;
}

/* The asynchronous transfer is over. Its callback must not ask anything of this library. */
static void end_standing(struct libusb_device *device, int status, int actual)
{
	struct libusb_transfer *transfer = device->standing;

	if (!transfer)
		return;
	device->standing = NULL;
	transfer->status = status;
	transfer->actual_length = actual;
	transfer->callback(transfer);
}

static int unplugged(struct libusb_device *device)
{
	if (device->socket >= 0)
		close(device->socket);
	device->socket = -1;
	end_standing(device, LIBUSB_TRANSFER_NO_DEVICE, 0);
	return LIBUSB_ERROR_NO_DEVICE;
}

/* Whether the other end has hung up since the last transfer. */
static bool hung_up(struct libusb_device *device)
{
	char byte;

	if (device->socket >= 0 && recv(device->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		unplugged(device);
	return device->socket < 0;
}

static int meaning(int status)
{
	switch (status) {
	case 0: return 0;
	case -EPIPE: return LIBUSB_ERROR_PIPE;
	case -EOVERFLOW: return LIBUSB_ERROR_OVERFLOW;
	case -ENODEV: case -ESHUTDOWN: return LIBUSB_ERROR_NO_DEVICE;
	default: return LIBUSB_ERROR_IO;
	}
}

/* 1: there is something to read; 0: not in time. */
static int readable(int fd, long long until)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	for (;;) {
		long long left = until - now_ms();
		int ready = poll(&wait, 1, until == -1 ? -1 : left < 0 ? 0 : (int)left);

		if (ready >= 0 || errno != EINTR)
			return ready != 0;
	}
}

struct transfer {
	int endpoint, length, actual;
	bool in;
	const unsigned char *setup;                  /* of a control transfer */
	unsigned char *data;
};

/* Takes in the answer to a submitted transfer. False: the connection is of no more use. */
static bool take(int fd, const unsigned char *header, struct transfer *transfer, int *status)
{
	int actual = (int)be32(header + 24), keep = actual;
	unsigned char spill[512];

	*status = meaning((int)be32(header + 20));
	if (actual < 0)
		return false;
	if (actual > transfer->length) {
		*status = LIBUSB_ERROR_OVERFLOW;
		keep = transfer->length;
	}
	transfer->actual = keep;
	if (!transfer->in)
		return true;
	if (!receive_all(fd, transfer->data, (size_t)keep))
		return false;
	for (int left = actual - keep; left > 0; left -= (int)sizeof spill)
		if (!receive_all(fd, spill, left < (int)sizeof spill ? (size_t)left : sizeof spill))
			return false;
	return true;
}

static bool submit(struct libusb_device *device, const struct transfer *transfer)
{
	unsigned char header[HEADER] = { 0 };

	put32(header, CMD_SUBMIT);
	put32(header + 4, ++device->sequence);
	put32(header + 8, device->id);
	put32(header + 12, transfer->in);
	put32(header + 16, (uint32_t)transfer->endpoint & 15);
	put32(header + 24, (uint32_t)transfer->length);
	if (transfer->setup)
		memcpy(header + 40, transfer->setup, 8);
	return device->socket >= 0
	       && send_all(device->socket, header, HEADER, transfer->data, transfer->in ? 0 : (size_t)transfer->length);
}

static bool take_back(struct libusb_device *device, uint32_t submitted)
{
	unsigned char header[HEADER] = { 0 };

	put32(header, CMD_UNLINK);
	put32(header + 4, ++device->sequence);
	put32(header + 8, device->id);
	put32(header + 20, submitted);
	return device->socket >= 0 && send_all(device->socket, header, HEADER, NULL, 0);
}

/* Takes in the answer to the asynchronous transfer. False: the connection is of no more use. */
static bool take_standing(struct libusb_device *device, const unsigned char *header)
{
	struct transfer transfer = { .in = true, .length = device->standing->length, .data = device->standing->buffer };
	int status;

	if (!take(device->socket, header, &transfer, &status))
		return false;
	end_standing(device,
		!status ? LIBUSB_TRANSFER_COMPLETED
		: status == LIBUSB_ERROR_PIPE ? LIBUSB_TRANSFER_STALL
		: status == LIBUSB_ERROR_OVERFLOW ? LIBUSB_TRANSFER_OVERFLOW
		: status == LIBUSB_ERROR_NO_DEVICE ? LIBUSB_TRANSFER_NO_DEVICE : LIBUSB_TRANSFER_ERROR,
		transfer.actual);
	return true;
}

static bool for_standing(const struct libusb_device *device, const unsigned char *header)
{
	return device->standing && be32(header) == RET_SUBMIT && be32(header + 4) == device->standing_sequence;
}

/* One transfer from submission to its end; a timeout takes it back (and what comes meanwhile counts). */
static int run(struct libusb_device *device, struct transfer *transfer, unsigned timeout_ms)
{
	unsigned char header[HEADER] = { 0 };
	uint32_t submitted, unlinked = 0;
	long long until = timeout_ms ? now_ms() + timeout_ms : -1;
	int status = LIBUSB_ERROR_TIMEOUT;

	transfer->actual = 0;
	if (!submit(device, transfer))
		return unplugged(device);
	submitted = device->sequence;
	for (;;) {
		if (!readable(device->socket, until)) {
			if (unlinked || !take_back(device, submitted))
				return unplugged(device);
			unlinked = device->sequence;
			until = now_ms() + UNLINK_MS;
			continue;
		}
		if (!receive_all(device->socket, header, HEADER))
			return unplugged(device);
		if (for_standing(device, header)) {
			if (!take_standing(device, header))
				return unplugged(device);
			continue;
		}
		if (be32(header) == RET_UNLINK && be32(header + 4) == unlinked)
			return status;
		if (be32(header) != RET_SUBMIT || be32(header + 4) != submitted)
			return unplugged(device);
		if (!take(device->socket, header, transfer, &status))
			return unplugged(device);
		if (!unlinked)
			return status;
	}
}

static int control(struct libusb_device *device, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
	unsigned char *data, uint16_t length, unsigned timeout_ms)
{
	unsigned char setup[8] = { type, request, value & 255, value >> 8, index & 255, index >> 8, length & 255, length >> 8 };
	struct transfer transfer = { .length = length, .in = type & 0x80, .setup = setup, .data = data };
	int status = run(device, &transfer, timeout_ms);

	return status ? status : transfer.actual;
}

/* ------------------------------------------------------------------ plugging in */

static const unsigned char *configuration(const struct libusb_device *device, int index, int value)
{
	size_t at = 18;

	for (int i = 0; i < device->descriptors[17] && at + 9 <= device->length; i++) {
		const unsigned char *found = device->descriptors + at;

		if (index == i || (index < 0 && found[5] == value))
			return found;
		at += le16(found + 2);
	}
	return NULL;
}

/* The next descriptor of a configuration after `at` (NULL: the first behind its head), NULL at its end. */
static const unsigned char *next(const unsigned char *head, const unsigned char *at)
{
	const unsigned char *end = head + le16(head + 2);

	at = at ? at + at[0] : head + head[0];
	return at + 2 <= end && at[0] >= 2 && at + at[0] <= end ? at : NULL;
}

static bool is_interface(const unsigned char *at) { return at[1] == LIBUSB_DT_INTERFACE && at[0] >= 9; }
static bool is_endpoint(const unsigned char *at) { return at[1] == LIBUSB_DT_ENDPOINT && at[0] >= 7; }

static void cache_path(const struct slot *slot, char *path, size_t length)
{
	snprintf(path, length, "%s/%s-%s-%s", getenv("STANDIN_CACHE"), slot->host, slot->port, slot->bus_id);
}

static bool cached(struct libusb_device *device, const struct slot *slot)
{
	char path[512];
	FILE *file;

	if (!getenv("STANDIN_CACHE"))
		return false;
	cache_path(slot, path, sizeof path);
	file = fopen(path, "re");
	if (!file)
		return false;
	device->length = fread(device->descriptors, 1, DESCRIPTORS, file);
	fclose(file);
	return true;
}

static void cache(const struct libusb_device *device, const struct slot *slot)
{
	char path[544], whole[512];
	FILE *file;

	if (!getenv("STANDIN_CACHE"))
		return;
	cache_path(slot, whole, sizeof whole);
	snprintf(path, sizeof path, "%s.%d", whole, (int)getpid());
	file = fopen(path, "we");
	if (!file)
		return;
	fwrite(device->descriptors, 1, device->length, file);
	fclose(file);
	rename(path, whole);
}

/* Reads what a kernel reads when a device appears, and chooses the first configuration. */
static bool enumerate(struct libusb_device *device)
{
	unsigned char *all = device->descriptors;
	int got = control(device, 0x80, 6, 0x0100, 0, all, 18, ENUMERATION_MS);

	if (got != 18)
		return false;
	device->length = 18;
	for (int i = 0; i < all[17]; i++) {
		unsigned char *head = all + device->length;

		if (device->length + 9 > DESCRIPTORS || control(device, 0x80, 6, 0x0200 | i, 0, head, 9, ENUMERATION_MS) != 9)
			return false;
		if (le16(head + 2) < 9 || device->length + le16(head + 2) > DESCRIPTORS)
			return false;
		got = control(device, 0x80, 6, 0x0200 | i, 0, head, le16(head + 2), ENUMERATION_MS);
		if (got < 9)
			return false;
		if (got < (int)le16(head + 2)) {     /* it claims more than it has */
			head[2] = got & 255;
			head[3] = got >> 8;
		}
		device->length += (size_t)got;
	}
	return !all[17] || control(device, 0x00, 9, all[18 + 5], 0, NULL, 0, ENUMERATION_MS) >= 0;
}

/* What the kernel's usbhid does with the interfaces of its class. */
static void bind_kernel_driver(struct libusb_device *device)
{
	const unsigned char *head = configuration(device, -1, device->configuration);
	const char *mode = getenv("STANDIN_KERNEL");

	if (!head || (mode && !strcmp(mode, "none")))
		return;
	for (const unsigned char *at = next(head, NULL); at; at = next(head, at))
		if (is_interface(at) && at[2] < INTERFACES && at[5] == LIBUSB_CLASS_HID)
			device->interfaces[at[2]].kernel = true;
}

static int connected(const struct slot *slot)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct timeval patience = { .tv_sec = IMPORT_SECONDS };
	int fd = -1, on = 1;

	if (getaddrinfo(slot->host, slot->port, &hint, &found))
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	}
	return fd;
}

static struct libusb_device *plugged_in(const struct slot *slot)
{
	static const int speeds[] = { LIBUSB_SPEED_UNKNOWN, LIBUSB_SPEED_LOW, LIBUSB_SPEED_FULL, LIBUSB_SPEED_HIGH };
	unsigned char request[40] = { 0x01, 0x11, 0x80, 0x03 }, reply[8], about[312];
	struct libusb_device *device;
	int fd = connected(slot);

	if (fd < 0)
		return NULL;
	memcpy(request + 8, slot->bus_id, strlen(slot->bus_id));
	if (!send_all(fd, request, sizeof request, NULL, 0) || !receive_all(fd, reply, sizeof reply) || be32(reply + 4)
	    || !receive_all(fd, about, sizeof about)) {
		close(fd);
		return NULL;
	}
	device = calloc(1, sizeof *device);
	pthread_mutex_init(&device->busy, NULL);
	device->references = 1;
	device->slot = (int)(slot - slots);
	device->socket = fd;
	device->rouse = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	device->id = be32(about + 288) << 16 | be32(about + 292);
	device->speed = be32(about + 296) < 4 ? speeds[be32(about + 296)] : LIBUSB_SPEED_UNKNOWN;
	if (!cached(device, slot)) {
		if (!enumerate(device)) {
			libusb_unref_device(device);
			return NULL;
		}
		cache(device, slot);
	}
	device->configuration = device->descriptors[17] ? device->descriptors[18 + 5] : 0;
	device->address = next_address;
	next_address = next_address % 127 + 1;
	bind_kernel_driver(device);
	return device;
}

/* ------------------------------------------------------------------ library and devices */

EXPORT int libusb_init(libusb_context **context)
{
	static char one_for_all;

	pthread_once(&once, read_environment);
	if (context)
		*context = (libusb_context *)&one_for_all;
	return 0;
}

EXPORT void libusb_exit(libusb_context *context) { (void)context; }    /* what is plugged in stays so */

EXPORT const struct libusb_version *libusb_get_version(void)
{
	static const struct libusb_version version = { 1, 0, 26, 0, "", "stand-in over USB/IP" };

	return &version;
}

EXPORT void libusb_set_debug(libusb_context *context, int level)
{
	(void)context;
	(void)level;
}

EXPORT const char *libusb_strerror(int code)
{
	switch (code) {
	case LIBUSB_SUCCESS: return "Success";
	case LIBUSB_ERROR_IO: return "Input/Output Error";
	case LIBUSB_ERROR_INVALID_PARAM: return "Invalid parameter";
	case LIBUSB_ERROR_NO_DEVICE: return "No such device (it may have been disconnected)";
	case LIBUSB_ERROR_NOT_FOUND: return "Entity not found";
	case LIBUSB_ERROR_BUSY: return "Resource busy";
	case LIBUSB_ERROR_TIMEOUT: return "Operation timed out";
	case LIBUSB_ERROR_OVERFLOW: return "Overflow";
	case LIBUSB_ERROR_PIPE: return "Pipe error";
	case LIBUSB_ERROR_NOT_SUPPORTED: return "Operation not supported or unimplemented on this platform";
	default: return "Other error";
	}
}

EXPORT libusb_device *libusb_ref_device(libusb_device *device)
{
	__atomic_add_fetch(&device->references, 1, __ATOMIC_SEQ_CST);
	return device;
}

EXPORT void libusb_unref_device(libusb_device *device)
{
	if (!device || __atomic_sub_fetch(&device->references, 1, __ATOMIC_SEQ_CST))
		return;
	unplugged(device);
	close(device->rouse);
	pthread_mutex_destroy(&device->busy);
	free(device);
}

EXPORT ssize_t libusb_get_device_list(libusb_context *context, libusb_device ***list)
{
	libusb_device **all = calloc(SLOTS + 1, sizeof *all);
	ssize_t count = 0;

	(void)context;
	pthread_mutex_lock(&plugs);
	for (struct slot *slot = slots; slot < slots + slot_count; slot++) {
		bool gone = false;

		/* a device that is busy with a transfer is there; that transfer will notice when it is not */
		if (slot->device && !pthread_mutex_trylock(&slot->device->busy)) {
			gone = hung_up(slot->device);
			pthread_mutex_unlock(&slot->device->busy);
		}
		if (gone) {
			libusb_unref_device(slot->device);
			slot->device = NULL;
		}
		if (!slot->device)
			slot->device = plugged_in(slot);
		if (slot->device)
			all[count++] = libusb_ref_device(slot->device);
	}
	pthread_mutex_unlock(&plugs);
	*list = all;
	return count;
}

EXPORT void libusb_free_device_list(libusb_device **list, int unref)
{
	for (int i = 0; list && unref && list[i]; i++)
		libusb_unref_device(list[i]);
	free(list);
}

EXPORT int libusb_get_device_descriptor(libusb_device *device, struct libusb_device_descriptor *out)
{
	const unsigned char *raw = device->descriptors;

	memcpy(out, raw, 18);                        /* the same layout; the numbers need their byte order */
	out->bcdUSB = (uint16_t)le16(raw + 2);
	out->idVendor = (uint16_t)le16(raw + 8);
	out->idProduct = (uint16_t)le16(raw + 10);
	out->bcdDevice = (uint16_t)le16(raw + 12);
	return 0;
}

EXPORT uint8_t libusb_get_bus_number(libusb_device *device) { return (void)device, BUS; }
EXPORT uint8_t libusb_get_device_address(libusb_device *device) { return (uint8_t)device->address; }
EXPORT uint8_t libusb_get_port_number(libusb_device *device) { return (uint8_t)(device->slot + 1); }
EXPORT int libusb_get_device_speed(libusb_device *device) { return device->speed; }
EXPORT libusb_device *libusb_get_parent(libusb_device *device) { return (void)device, NULL; }

EXPORT int libusb_get_port_numbers(libusb_device *device, uint8_t *ports, int length)
{
	if (length < 1)
		return LIBUSB_ERROR_OVERFLOW;
	ports[0] = libusb_get_port_number(device);
	return 1;
}

/* ------------------------------------------------------------------ configurations */

struct parsed {
	struct libusb_config_descriptor public;      /* first: libusb_free_config_descriptor() gets its address */
	struct libusb_interface interfaces[INTERFACES];
	struct libusb_interface_descriptor settings[SETTINGS];
	struct libusb_endpoint_descriptor endpoints[ENDPOINTS];
	unsigned char raw[];                         /* what all `extra` point into */
};

static void extend(const unsigned char **extra, int *length, const unsigned char *at)
{
	if (!*length)
		*extra = at;
	if (*extra + *length == at)
		*length += at[0];
}

EXPORT int libusb_get_config_descriptor(libusb_device *device, uint8_t index, struct libusb_config_descriptor **out)
{
	const unsigned char *head = configuration(device, index, 0);
	struct libusb_interface_descriptor *setting = NULL;
	struct libusb_endpoint_descriptor *endpoint = NULL;
	int settings = 0, endpoints = 0;
	struct parsed *all;

	if (!head)
		return LIBUSB_ERROR_NOT_FOUND;
	all = calloc(1, sizeof *all + le16(head + 2));
	head = memcpy(all->raw, head, le16(head + 2));
	memcpy(&all->public, head, 9);
	all->public.wTotalLength = (uint16_t)le16(head + 2);
	all->public.bNumInterfaces = 0;
	all->public.interface = all->interfaces;
	for (const unsigned char *at = next(head, NULL); at; at = next(head, at)) {
		if (is_interface(at) && settings < SETTINGS) {
			struct libusb_interface *last = all->interfaces + all->public.bNumInterfaces;

			if (setting && setting->bInterfaceNumber == at[2]) {
				last--;
			} else if (all->public.bNumInterfaces == INTERFACES) {
				break;
			} else {
				last->altsetting = all->settings + settings;
				all->public.bNumInterfaces++;
			}
			last->num_altsetting++;
			setting = all->settings + settings++;
			endpoint = NULL;
			memcpy(setting, at, 9);
			setting->bNumEndpoints = 0;
			setting->endpoint = all->endpoints + endpoints;
		} else if (is_endpoint(at) && setting && endpoints < ENDPOINTS) {
			endpoint = all->endpoints + endpoints++;
			memcpy(endpoint, at, 7);
			endpoint->wMaxPacketSize = (uint16_t)le16(at + 4);
			endpoint->bInterval = at[6];
			setting->bNumEndpoints++;
		} else if (endpoint) {
			extend(&endpoint->extra, &endpoint->extra_length, at);
		} else if (setting) {
			extend(&setting->extra, &setting->extra_length, at);
		} else {
			extend(&all->public.extra, &all->public.extra_length, at);
		}
	}
	*out = &all->public;
	return 0;
}

EXPORT void libusb_free_config_descriptor(struct libusb_config_descriptor *config) { free(config); }

/* ------------------------------------------------------------------ handles and interfaces */

EXPORT int libusb_open(libusb_device *device, libusb_device_handle **out)
{
	pthread_mutex_lock(&device->busy);
	bool gone = hung_up(device);
	pthread_mutex_unlock(&device->busy);
	if (gone)
		return LIBUSB_ERROR_NO_DEVICE;
	*out = calloc(1, sizeof **out);
	(*out)->device = libusb_ref_device(device);
	return 0;
}

static void let_go(struct interface *interface)
{
	interface->owner = NULL;
	interface->kernel = interface->kernel || interface->give_back;
	interface->give_back = false;
}

static void cancel_standing(struct libusb_device *device);

EXPORT void libusb_close(libusb_device_handle *handle)
{
	struct libusb_device *device = handle->device;

	pthread_mutex_lock(&device->busy);
	if (device->standing && device->standing->dev_handle == handle)
		cancel_standing(device);
	for (int i = 0; i < INTERFACES; i++)
		if (device->interfaces[i].owner == handle)
			let_go(&device->interfaces[i]);
	pthread_mutex_unlock(&device->busy);
	libusb_unref_device(device);
	free(handle);
}

/* Locks the device and finds its interface; NULL (with the reason, unlocked) if there is none. */
static struct interface *lock_interface(libusb_device_handle *handle, int number, int *reason)
{
	struct libusb_device *device = handle->device;
	const unsigned char *head;

	pthread_mutex_lock(&device->busy);
	head = configuration(device, -1, device->configuration);
	*reason = hung_up(device) ? LIBUSB_ERROR_NO_DEVICE : LIBUSB_ERROR_NOT_FOUND;
	if (*reason == LIBUSB_ERROR_NOT_FOUND && head && number >= 0 && number < INTERFACES)
		for (const unsigned char *at = next(head, NULL); at; at = next(head, at))
			if (is_interface(at) && at[2] == number)
				return &device->interfaces[number];
	pthread_mutex_unlock(&device->busy);
	return NULL;
}

static int unlock(libusb_device_handle *handle, int result)
{
	pthread_mutex_unlock(&handle->device->busy);
	return result;
}

EXPORT int libusb_claim_interface(libusb_device_handle *handle, int number)
{
	int reason;
	struct interface *interface = lock_interface(handle, number, &reason);

	if (!interface)
		return reason;
	if (interface->kernel && handle->detach) {
		interface->kernel = false;
		interface->give_back = true;
	}
	if (interface->kernel || (interface->owner && interface->owner != handle))
		return unlock(handle, LIBUSB_ERROR_BUSY);
	interface->owner = handle;
	return unlock(handle, 0);
}

EXPORT int libusb_release_interface(libusb_device_handle *handle, int number)
{
	int reason;
	struct interface *interface = lock_interface(handle, number, &reason);

	if (!interface)
		return reason;
	if (interface->owner != handle)
		return unlock(handle, LIBUSB_ERROR_NOT_FOUND);
	let_go(interface);
	return unlock(handle, 0);
}

EXPORT int libusb_kernel_driver_active(libusb_device_handle *handle, int number)
{
	int reason;
	struct interface *interface = lock_interface(handle, number, &reason);

	return interface ? unlock(handle, interface->kernel) : reason;
}

static int bind_kernel(libusb_device_handle *handle, int number, bool bound)
{
	int reason;
	struct interface *interface = lock_interface(handle, number, &reason);

	if (!interface)
		return reason;
	if (interface->kernel == bound)
		return unlock(handle, bound ? LIBUSB_ERROR_BUSY : LIBUSB_ERROR_NOT_FOUND);
	if (bound && interface->owner)
		return unlock(handle, LIBUSB_ERROR_BUSY);
	interface->kernel = bound;
	return unlock(handle, 0);
}

EXPORT int libusb_detach_kernel_driver(libusb_device_handle *handle, int number)
{
	return bind_kernel(handle, number, false);
}

EXPORT int libusb_attach_kernel_driver(libusb_device_handle *handle, int number)
{
	return bind_kernel(handle, number, true);
}

EXPORT int libusb_set_auto_detach_kernel_driver(libusb_device_handle *handle, int on)
{
	handle->detach = on;
	return 0;
}

EXPORT int libusb_get_configuration(libusb_device_handle *handle, int *value)
{
	*value = handle->device->configuration;
	return 0;
}

/* ------------------------------------------------------------------ transfers */

static bool has_endpoint(const struct libusb_device *device, int endpoint)
{
	const unsigned char *head = configuration(device, -1, device->configuration);

	for (const unsigned char *at = head ? next(head, NULL) : NULL; at; at = next(head, at))
		if (is_endpoint(at) && at[2] == endpoint)
			return true;
	return false;
}

EXPORT int libusb_control_transfer(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value,
	uint16_t index, unsigned char *data, uint16_t length, unsigned timeout)
{
	pthread_mutex_lock(&handle->device->busy);
	return unlock(handle, control(handle->device, type, request, value, index, data, length, timeout));
}

EXPORT int libusb_interrupt_transfer(libusb_device_handle *handle, unsigned char endpoint, unsigned char *data,
	int length, int *actual, unsigned timeout)
{
	struct transfer transfer = { .endpoint = endpoint, .length = length, .in = endpoint & 0x80, .data = data };
	int status;

	pthread_mutex_lock(&handle->device->busy);
	if (!has_endpoint(handle->device, endpoint))
		return unlock(handle, LIBUSB_ERROR_IO);
	status = run(handle->device, &transfer, timeout);
	if (actual)
		*actual = transfer.actual;
	return unlock(handle, status);
}

EXPORT int libusb_bulk_transfer(libusb_device_handle *handle, unsigned char endpoint, unsigned char *data, int length,
	int *actual, unsigned timeout)
{
	return libusb_interrupt_transfer(handle, endpoint, data, length, actual, timeout);
}

static int acknowledged(int result) { return result < 0 ? result : 0; }

EXPORT int libusb_set_configuration(libusb_device_handle *handle, int value)
{
	struct libusb_device *device = handle->device;
	int result;

	pthread_mutex_lock(&device->busy);
	for (int i = 0; i < INTERFACES; i++)
		if (device->interfaces[i].kernel || device->interfaces[i].owner)
			return unlock(handle, LIBUSB_ERROR_BUSY);
	result = acknowledged(control(device, 0x00, 9, (uint16_t)value, 0, NULL, 0, ENUMERATION_MS));
	if (!result)
		device->configuration = value;
	return unlock(handle, result);
}

EXPORT int libusb_set_interface_alt_setting(libusb_device_handle *handle, int number, int setting)
{
	return acknowledged(libusb_control_transfer(handle, 0x01, 11, (uint16_t)setting, (uint16_t)number, NULL, 0,
		ENUMERATION_MS));
}

EXPORT int libusb_clear_halt(libusb_device_handle *handle, unsigned char endpoint)
{
	return acknowledged(libusb_control_transfer(handle, 0x02, 1, 0, endpoint, NULL, 0, ENUMERATION_MS));
}

EXPORT int libusb_reset_device(libusb_device_handle *handle)    /* what a kernel says after the port's reset */
{
	unsigned char descriptor[18];
	int result = libusb_control_transfer(handle, 0x80, 6, 0x0100, 0, descriptor, 18, ENUMERATION_MS);

	if (result >= 0)
		result = libusb_control_transfer(handle, 0x00, 9, (uint16_t)handle->device->configuration, 0, NULL, 0,
			ENUMERATION_MS);
	return acknowledged(result);
}

EXPORT int libusb_get_string_descriptor_ascii(libusb_device_handle *handle, uint8_t index, unsigned char *out, int length)
{
	unsigned char text[255], languages[4];
	int got, count = 0;

	if (!index || length < 1)
		return LIBUSB_ERROR_INVALID_PARAM;
	got = libusb_control_transfer(handle, 0x80, 6, 0x0300, 0, languages, sizeof languages, 1000);
	if (got < 0)
		return got;
	if (got < 4 || languages[1] != LIBUSB_DT_STRING)
		return LIBUSB_ERROR_IO;
	got = libusb_control_transfer(handle, 0x80, 6, 0x0300 | index, (uint16_t)le16(languages + 2), text, sizeof text, 1000);
	if (got < 0)
		return got;
	if (got < 2 || text[1] != LIBUSB_DT_STRING || text[0] > got)
		return LIBUSB_ERROR_IO;
	for (int i = 2; i + 1 < text[0] && count < length - 1; i += 2)
		out[count++] = le16(text + i) < 0x80 ? text[i] : '?';
	out[count] = 0;
	return count;
}

/* ------------------------------------------------------------------ the asynchronous transfer */

EXPORT struct libusb_transfer *libusb_alloc_transfer(int packets)
{
	return packets ? NULL : calloc(1, sizeof(struct libusb_transfer));
}

EXPORT void libusb_free_transfer(struct libusb_transfer *transfer) { free(transfer); }

EXPORT int libusb_submit_transfer(struct libusb_transfer *asked)
{
	libusb_device_handle *handle = asked->dev_handle;
	struct libusb_device *device = handle->device;
	struct transfer transfer = { .endpoint = asked->endpoint, .length = asked->length, .in = true, .data = asked->buffer };

	pthread_mutex_lock(&device->busy);
	if (asked->timeout || !(asked->endpoint & 0x80))
		return unlock(handle, LIBUSB_ERROR_NOT_SUPPORTED);
	if (device->standing)
		return unlock(handle, LIBUSB_ERROR_BUSY);
	if (!has_endpoint(device, asked->endpoint))
		return unlock(handle, LIBUSB_ERROR_IO);
	if (!submit(device, &transfer))
		return unlock(handle, unplugged(device));
	device->standing = asked;
	device->standing_sequence = device->sequence;
	return unlock(handle, 0);
}

/* It has ended when this returns; what comes before the device confirms it counts as not come. */
static void cancel_standing(struct libusb_device *device)
{
	uint32_t submitted = device->standing_sequence;
	struct transfer spilt = { .in = true };
	unsigned char header[HEADER];
	int status;

	end_standing(device, LIBUSB_TRANSFER_CANCELLED, 0);
	if (!take_back(device, submitted)) {
		unplugged(device);
		return;
	}
	for (;;) {
		if (!readable(device->socket, now_ms() + UNLINK_MS) || !receive_all(device->socket, header, HEADER))
			break;
		if (be32(header) == RET_UNLINK && be32(header + 4) == device->sequence)
			return;
		if (be32(header) != RET_SUBMIT || be32(header + 4) != submitted || !take(device->socket, header, &spilt, &status))
			break;
	}
	unplugged(device);
}

EXPORT int libusb_cancel_transfer(struct libusb_transfer *transfer)
{
	struct libusb_device *device = transfer->dev_handle->device;

	pthread_mutex_lock(&device->busy);
	if (device->standing != transfer)
		return unlock(transfer->dev_handle, LIBUSB_ERROR_NOT_FOUND);
	cancel_standing(device);
	return unlock(transfer->dev_handle, 0);
}

static struct libusb_device *waiting_for(const int *completed)
{
	struct libusb_device *found = NULL;

	pthread_mutex_lock(&plugs);
	for (struct slot *slot = slots; slot < slots + slot_count && !found; slot++) {
		struct libusb_transfer *standing = slot->device ? slot->device->standing : NULL;

		if (standing && standing->user_data == completed)
			found = libusb_ref_device(slot->device);
	}
	pthread_mutex_unlock(&plugs);
	return found;
}

EXPORT int libusb_handle_events_timeout_completed(libusb_context *context, struct timeval *time, int *completed)
{
	struct libusb_device *device = completed && !*completed ? waiting_for(completed) : NULL;
	int timeout = (int)(time->tv_sec * 1000 + (time->tv_usec + 999) / 1000);
	unsigned char header[HEADER];
	uint64_t calls;

	(void)context;
	if (!device)
		return 0;
	struct pollfd wait[2] = { { .fd = device->socket, .events = POLLIN }, { .fd = device->rouse, .events = POLLIN } };

	if (poll(wait, 2, timeout) > 0) {
		if (wait[1].revents && read(device->rouse, &calls, sizeof calls) < 0 && errno != EAGAIN)
			fprintf(stderr, "libusb stand-in: rouse: %s\n", strerror(errno));
		pthread_mutex_lock(&device->busy);
		if (wait[0].revents && device->socket >= 0 && readable(device->socket, 0)
		    && (!receive_all(device->socket, header, HEADER) || !for_standing(device, header) || !take_standing(device, header)))
			unplugged(device);
		pthread_mutex_unlock(&device->busy);
	}
	libusb_unref_device(device);
	return 0;
}

EXPORT void libusb_interrupt_event_handler(libusb_context *context)
{
	(void)context;
	pthread_mutex_lock(&plugs);
	for (struct slot *slot = slots; slot < slots + slot_count; slot++)
		if (slot->device)
			eventfd_write(slot->device->rouse, 1);
	pthread_mutex_unlock(&plugs);
}

/* ------------------------------------------------------------------ looked up by pyusb, never used by us */

EXPORT int libusb_handle_events(libusb_context *context) { return (void)context, LIBUSB_ERROR_NOT_SUPPORTED; }

EXPORT int libusb_get_max_iso_packet_size(libusb_device *device, unsigned char endpoint)
{
	return (void)device, (void)endpoint, LIBUSB_ERROR_NOT_SUPPORTED;
}
