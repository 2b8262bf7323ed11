/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two files of sysfs that give a PCI device to VFIO: its driver_override names a driver,
 * drivers_probe takes the device's address and looks for one. A device's group, and its
 * character device, are there while it has vfio-pci; devices have it from the start, but those
 * that sim_take_driver was called for. Both files are written only.
 */
#include <fcntl.h>
#include <string.h>

#include "sim/world.h"

static const char probe_path[] = "/sys/bus/pci/drivers_probe";
static const char devices_path[] = "/sys/bus/pci/devices/";
static const char override_name[] = "/driver_override";

/* What an fd's index means. */
enum { FILE_PROBE, FILE_OVERRIDE /* of group 0; of group 1, ... */ };

void sim_take_driver(struct sim_world *w, uint32_t group)
{
    assert(group < w->config.n_groups && !w->groups[group].opened);
    w->groups[group].has_no_driver = true;
}

bool sysfs_has_vfio(const struct sim_world *w, uint32_t group)
{
    return group < w->config.n_groups && !w->groups[group].has_no_driver;
}

/* The group of the device with this address, or the number of groups. */
static uint32_t device_named(const struct sim_world *w, const char *name, uint64_t n)
{
    char known[SIM_DEVICE_NAME_SIZE];
    uint32_t group = 0;

    for (; group < w->config.n_groups; group++) {
        sim_device_name(group, known);
        if (strlen(known) == n && memcmp(known, name, n) == 0)
            break;
    }
    return group;
}

static int file_of(const struct sim_world *w, const char *path)
{
    size_t prefix = strlen(devices_path), name = SIM_DEVICE_NAME_SIZE - 1;
    uint32_t group;

    if (strcmp(path, probe_path) == 0)
        return FILE_PROBE;
    if (strncmp(path, devices_path, prefix) != 0 || strlen(path) < prefix + name ||
        strcmp(path + prefix + name, override_name) != 0)
        return -ENOENT;
    group = device_named(w, path + prefix, name);
    return group < w->config.n_groups ? FILE_OVERRIDE + (int)group : -ENOENT;
}

int sysfs_open(struct sim_world *w, const char *path, int flags)
{
    int file = file_of(w, path);

    if (file < 0)
        return file;
    if ((flags & O_ACCMODE) != O_WRONLY)
        return -EACCES;
    return fd_new(w, FD_SYSFS, NULL, (unsigned)file);
}

/* A line feed at the end is no part of a name. */
static uint64_t name_size(const char *text, uint64_t size)
{
    return size && text[size - 1] == '\n' ? size - 1 : size;
}

/* A device that has a driver keeps it; one for which there is none does without. */
static int64_t probe(struct sim_world *w, const char *text, uint64_t size)
{
    uint32_t group = device_named(w, text, name_size(text, size));

    if (group == w->config.n_groups)
        return -ENODEV;
    if (w->groups[group].wants_vfio)
        w->groups[group].has_no_driver = false;
    return (int64_t)size;
}

int64_t sysfs_write(struct sim_world *w, const struct sim_fd *f, const char *text,
                    uint64_t size)
{
    static const char driver[] = "vfio-pci";
    uint64_t n = name_size(text, size);

    assert(f->kind == FD_SYSFS);
    if (size == 0)
        return 0;
    if (f->index == FILE_PROBE)
        return probe(w, text, size);
    if (size >= w->config.page_size - 1)
        return -EINVAL;
    w->groups[f->index - FILE_OVERRIDE].wants_vfio =
        n == strlen(driver) && memcmp(text, driver, n) == 0;
    return (int64_t)size;
}
