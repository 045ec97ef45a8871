/*
 * ngx_http_tomo_forms: survey forms of one worker, parsed: decoding the
 * compiled form costs more than taking the answers to it.  What is kept was
 * read from the table of one generation; with a new one all of it goes.
 *
 * Bounded: NGX_HTTP_TOMO_FORMS of them in NGX_HTTP_TOMO_FORMS_BYTES; the one
 * unused longest goes first.
 */

#ifndef NGX_HTTP_TOMO_FORMS_H
#define NGX_HTTP_TOMO_FORMS_H

#include "ngx_http_tomo_module.h"
#include "tomo_survey.h"

#define NGX_HTTP_TOMO_FORMS        64
#define NGX_HTTP_TOMO_FORMS_BYTES  (8 * 1024 * 1024)

typedef struct {
    ngx_queue_t    queue;
    size_t         size;        /* of all this memory */
    uint32_t       account;     /* numbers, as in the token */
    uint32_t       survey;
    tomo_str_t     id;          /* of the account */
    tomo_survey_t  form;
} ngx_http_tomo_form_t;

/*
 * The form of the table as it stands, or NULL.  Valid until the loop's next
 * turn: what a request needs for longer it copies.
 */
ngx_http_tomo_form_t *ngx_http_tomo_forms_get(ngx_http_tomo_main_conf_t *tmcf,
    uint32_t account, uint32_t survey);

/*
 * Parses and keeps value, which must come from the table and have been looked
 * up after forms_get said NULL, in the same turn.  NULL: it is too large, or
 * cannot be read, or there is no memory; the caller parses for itself.
 */
ngx_http_tomo_form_t *ngx_http_tomo_forms_put(ngx_http_tomo_main_conf_t *tmcf,
    uint32_t account, uint32_t survey, tomo_str_t id, tomo_str_t value);

#endif
