/* SPDX-License-Identifier: Apache-2.0 */
/* Doubly linked circular list, intrusive. A list head and an element are the same struct. */
#ifndef LIB_BASE_LIST_H
#define LIB_BASE_LIST_H

#include "lib/base/types.h"

struct list {
    struct list *prev, *next;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *l) { l->prev = l->next = l; }
static inline bool list_is_empty(const struct list *l) { return l->next == l; }

/* Inserts 'e' just before 'before'. */
static inline void list_insert(struct list *before, struct list *e)
{
    e->prev = before->prev;
    e->next = before;
    before->prev->next = e;
    before->prev = e;
}

static inline void list_push_back(struct list *l, struct list *e) { list_insert(l, e); }
static inline void list_push_front(struct list *l, struct list *e) { list_insert(l->next, e); }

/* Takes 'e' out of its list and makes it an empty list of its own, so that removing twice is
 * fine. */
static inline void list_remove(struct list *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    list_init(e);
}

static inline struct list *list_pop_front(struct list *l)
{
    struct list *e = l->next;
    list_remove(e);
    return e;
}

size_t list_size(const struct list *);
/* Moves all of 'from' to the end of 'to'. */
void list_splice_back(struct list *to, struct list *from);

#define LIST_ENTRY(ptr, type, member) CONTAINER_OF(ptr, type, member)
#define LIST_FOR_EACH(iter, member, head)                                              \
    for ((iter) = LIST_ENTRY((head)->next, __typeof__(*(iter)), member);               \
         &(iter)->member != (head);                                                    \
         (iter) = LIST_ENTRY((iter)->member.next, __typeof__(*(iter)), member))
/* 'iter' may be removed and freed in the body. */
#define LIST_FOR_EACH_SAFE(iter, after, member, head)                                  \
    for ((iter) = LIST_ENTRY((head)->next, __typeof__(*(iter)), member),               \
        (after) = LIST_ENTRY((iter)->member.next, __typeof__(*(iter)), member);        \
         &(iter)->member != (head);                                                    \
         (iter) = (after),                                                             \
        (after) = LIST_ENTRY((iter)->member.next, __typeof__(*(iter)), member))

#endif
