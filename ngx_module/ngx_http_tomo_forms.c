#include "ngx_http_tomo_forms.h"
#include "ngx_http_tomo_zone.h"


#define NGX_HTTP_TOMO_FORMS_FIRST  (16 * 1024)


/* the store of one worker, in its cycle's pool; the entries are malloced */
struct ngx_http_tomo_forms_s {
    ngx_queue_t        used;            /* the latest first */
    ngx_uint_t         n;
    size_t             bytes;
    ngx_atomic_uint_t  generation;      /* of the table they are from */
};


static void
ngx_http_tomo_forms_drop(ngx_http_tomo_forms_t *forms, ngx_queue_t *q)
{
    ngx_http_tomo_form_t  *f;

    f = ngx_queue_data(q, ngx_http_tomo_form_t, queue);

    ngx_queue_remove(q);
    forms->n--;
    forms->bytes -= f->size;
    ngx_free(f);
}


/* the store, without what an older table said */

static ngx_http_tomo_forms_t *
ngx_http_tomo_forms_store(ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_atomic_uint_t       generation;
    ngx_http_tomo_forms_t  *forms = tmcf->forms;

    if (forms == NULL) {
        forms = ngx_pcalloc(ngx_cycle->pool, sizeof(ngx_http_tomo_forms_t));
        if (forms == NULL) {
            return NULL;
        }

        ngx_queue_init(&forms->used);
        tmcf->forms = forms;
    }

    generation = __atomic_load_n(&tmcf->zone->sh->generation,
                                 __ATOMIC_ACQUIRE);

    if (forms->generation != generation) {
        while (!ngx_queue_empty(&forms->used)) {
            ngx_http_tomo_forms_drop(forms, ngx_queue_last(&forms->used));
        }

        forms->generation = generation;
    }

    return forms;
}


ngx_http_tomo_form_t *
ngx_http_tomo_forms_get(ngx_http_tomo_main_conf_t *tmcf, uint32_t account,
    uint32_t survey)
{
    ngx_queue_t            *q;
    ngx_http_tomo_form_t   *f;
    ngx_http_tomo_forms_t  *forms;

    forms = ngx_http_tomo_forms_store(tmcf);
    if (forms == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&forms->used);
         q != ngx_queue_sentinel(&forms->used);
         q = ngx_queue_next(q))
    {
        f = ngx_queue_data(q, ngx_http_tomo_form_t, queue);

        if (f->survey == survey && f->account == account) {
            ngx_queue_remove(q);
            ngx_queue_insert_head(&forms->used, q);
            return f;
        }
    }

    return NULL;
}


/* form, account's id and compiled text in one block, as small as it fits */

static ngx_http_tomo_form_t *
ngx_http_tomo_forms_parse(tomo_str_t id, tomo_str_t value, ngx_log_t *log)
{
    size_t                 head, size;
    u_char                *p;
    tomo_rc_e              rc;
    tomo_arena_t           a;
    ngx_http_tomo_form_t  *f;

    head = sizeof(ngx_http_tomo_form_t)
           + ngx_align(id.len + value.len, NGX_ALIGNMENT);

    for (size = head + NGX_HTTP_TOMO_FORMS_FIRST;
         size <= NGX_HTTP_TOMO_FORMS_BYTES;
         size *= 2)
    {
        f = ngx_alloc(size, log);
        if (f == NULL) {
            return NULL;
        }

        p = (u_char *) f + sizeof(ngx_http_tomo_form_t);
        ngx_memcpy(p, id.data, id.len);
        ngx_memcpy(p + id.len, value.data, value.len);

        f->size = size;
        f->id = tomo_str_n(p, id.len);

        tomo_arena_init(&a, (u_char *) f + head, size - head);
        rc = tomo_survey_parse(tomo_str_n(p + id.len, value.len), &a,
                               &f->form);
        if (rc == TOMO_OK) {
            return f;
        }

        ngx_free(f);

        if (rc != TOMO_FULL) {
            return NULL;
        }
    }

    return NULL;
}


ngx_http_tomo_form_t *
ngx_http_tomo_forms_put(ngx_http_tomo_main_conf_t *tmcf, uint32_t account,
    uint32_t survey, tomo_str_t id, tomo_str_t value)
{
    ngx_http_tomo_form_t   *f;
    ngx_http_tomo_forms_t  *forms = tmcf->forms;

    if (forms == NULL) {
        return NULL;
    }

    f = ngx_http_tomo_forms_parse(id, value, ngx_cycle->log);
    if (f == NULL) {
        return NULL;
    }

    f->account = account;
    f->survey = survey;

    while (forms->n
           && (forms->n >= NGX_HTTP_TOMO_FORMS
               || forms->bytes + f->size > NGX_HTTP_TOMO_FORMS_BYTES))
    {
        ngx_http_tomo_forms_drop(forms, ngx_queue_last(&forms->used));
    }

    ngx_queue_insert_head(&forms->used, &f->queue);
    forms->n++;
    forms->bytes += f->size;

    return f;
}
