/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices doing DMA. The IOMMU knows frames, not addresses: through a mapping whose page was
 * punched the device still reaches the old frame, and nobody faults (behaviour.md 5.5).
 */
#include "sim/iommufd.h"

/* Where the device's DMA goes through; NULL: nowhere, the IOMMU blocks it. */
static const struct dma_space *space_of(const struct sim_group *g)
{
    if (g->bound)
        return g->ioas ? &g->ioas->space : NULL;
    assert(g->container && g->container->iommu_type); /* an open device holds its group there */
    return &g->container->space;
}

static int dma_translate(struct sim_world *w, uint32_t group, uint64_t iova, uint32_t access,
                         struct frame **out)
{
    if (group >= w->config.n_groups)
        return -ENODEV;
    const struct sim_group *g = &w->groups[group];
    if (g->device_fds == 0 && !g->bound)
        return -ENODEV;
    const struct dma_space *s = space_of(g);
    const struct dma_mapping *m = s ? dma_space_find(s, iova) : NULL;
    if (!m || !(m->prot & access))
        return -EFAULT;
    assert(s->filled);
    uint32_t index = dma_mapping_frame(m, (iova - m->iova) >> w->page_shift, w->page_shift);
    *out = frame_at(&w->frames, index);
    assert((*out)->pins > 0);
    return 0;
}

int sim_dma_read(struct sim_world *w, uint32_t group, uint64_t iova, uint64_t *token)
{
    struct frame *f;
    int r = dma_translate(w, group, iova, OBSERVE_DMA_READ, &f);
    if (r == 0)
        *token = f->content;
    return r;
}

int sim_dma_write(struct sim_world *w, uint32_t group, uint64_t iova, uint64_t token)
{
    struct frame *f;
    int r = dma_translate(w, group, iova, OBSERVE_DMA_WRITE, &f);
    if (r == 0)
        f->content = token;
    return r;
}
