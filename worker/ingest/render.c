#include "render.h"

#include <string.h>

#include "log.h"
#include "model/def_field.h"
#include "model/def_link.h"
#include "tomo_token.h"

#define RENDER_JSON_BYTES  (96 * 1024)
#define RENDER_URL_BYTES   512

typedef struct {
    decision_t  *d;
    uint32_t     delivery;
    bool         linked;
    uint8_t      url[RENDER_URL_BYTES];
} render_t;


static tomo_str_t
render_url(render_t *render, def_kind_e kind, tomo_str_t id)
{
    tomo_buf_t    b;
    decision_t   *d = render->d;
    const def_t  *def;
    tomo_token_t  t;

    def = defs_find(d->o->defs, kind, id);

    if (def == NULL) {
        return tomo_str_null;
    }

    memset(&t, 0, sizeof(t));
    t.account = d->o->account->number;
    t.kind = kind == DEF_LINK ? TOMO_TOKEN_LINK : TOMO_TOKEN_SURVEY;
    t.target = def->no;
    t.friend = d->f->serial;
    t.delivery = render->delivery;
    t.day = tomo_token_day(d->now_ms);

    tomo_buf_init(&b, render->url, sizeof(render->url));
    tomo_buf_c(&b, d->o->conf->base_url);
    tomo_buf_c(&b, kind == DEF_LINK ? "/r/" : "/s/");

    if (tomo_token_check(&d->o->vault->tokens.keys[0],
                         friend_get_c(d->f, "uid"), &t.check)
        != TOMO_OK
        || tomo_token_issue(&d->o->vault->tokens, &t, &b) != TOMO_OK
        || b.failed)
    {
        log_error(d->o->account->id, "a personal link could not be made for "
                  "friend %u: the numbers of account, friend or link are "
                  "beyond what a token holds", (unsigned) d->f->serial);
        return tomo_str_null;
    }

    render->linked = true;

    return tomo_buf_str(&b);
}


/* {NULL, 0}: the friend has no value, or there is no such field (any more) */
static tomo_str_t
render_field(render_t *render, tomo_str_t id)
{
    uint8_t             text[DEF_FIELD_BYTES];
    tomo_str_t          value;
    tomo_buf_t          b;
    const def_t        *def;
    const def_field_t  *field;

    def = defs_find(render->d->o->defs, DEF_FIELD, id);

    if (def == NULL) {
        return tomo_str_null;
    }

    value = friend_get_no(render->d->f, 'd', def->no);
    field = defs_compiled(render->d->o->defs, DEF_FIELD, def->no);

    if (value.len == 0 || field == NULL) {
        return value;
    }

    tomo_buf_init(&b, text, sizeof(text));
    def_field_show(field, value, &b);

    return b.failed ? value
                    : tomo_arena_dup(render->d->arena, tomo_buf_str(&b));
}


/* a value of white space is none: the fallback stands in */
static tomo_str_t
render_readable(tomo_str_t value)
{
    return message_text_blank(value) ? tomo_str_null : value;
}


static tomo_str_t
render_value(void *ctx, const tomo_part_t *part)
{
    render_t  *render = ctx;

    switch (part->kind) {

    case TOMO_PART_NAME:
        return render_readable(friend_get_c(render->d->f, "name"));

    case TOMO_PART_FIELD:
        return render_readable(render_field(render, part->id));

    case TOMO_PART_LINK:
        return render_url(render, DEF_LINK, part->id);

    case TOMO_PART_SURVEY:
        return render_url(render, DEF_SURVEY, part->id);

    case TOMO_PART_TEXT:
        break;
    }

    return tomo_str_null;
}


/* one number for a definition's step: what clicks are counted by */
static uint32_t
render_delivery(decision_t *d)
{
    uint8_t     text[160];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_put(&b, d->def);
    tomo_buf_byte(&b, '/');
    tomo_buf_put(&b, d->step);

    return b.failed ? 0 : owner_delivery(d->o, tomo_buf_str(&b));
}


void
render_messages(decision_t *d, const messages_t *messages)
{
    size_t             i;
    uint8_t            json[RENDER_JSON_BYTES];
    bubble_t          *bubble;
    render_t           render;
    tomo_buf_t         b;
    message_render_e   what;

    memset(&render, 0, sizeof(render));
    render.d = d;
    render.delivery = render_delivery(d);

    for (i = 0; i < messages->n; i++) {
        if (d->n_bubbles == DECISION_BUBBLES_MAX) {
            d->cut++;
            return;
        }

        render.linked = false;
        tomo_buf_init(&b, json, sizeof(json));

        what = message_render(&messages->items[i], render_value, &render, &b);

        if (what != MESSAGE_WHOLE) {
            /* what values made of it LINE would refuse: the row says so */
            decision_fx(d, "cut", what == MESSAGE_CUT ? tomo_str("text")
                                                    : tomo_str("empty"));
        }

        if (what == MESSAGE_EMPTY) {
            continue;
        }

        if (b.failed) {
            d->cut++;
            continue;
        }

        bubble = &d->bubbles[d->n_bubbles++];
        *bubble = (bubble_t) {
            .json = tomo_arena_dup(d->arena, tomo_buf_str(&b)),
            .def = d->def,
            /* an action's send has no step: the event makes it unique */
            .step = d->step.len > 0 ? d->step : d->ev->id,
            .gen = d->gen,
            .due_ms = d->due_ms,
            .event = d->by.len > 0 ? d->by : d->ev->id,
            .delivery = render.delivery,
            .linked = render.linked
        };
    }
}
