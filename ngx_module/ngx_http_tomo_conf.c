/*
 * ngx_http_tomo_conf: the table of directives, and what holds between them.
 */

#include "ngx_http_tomo_conf.h"
#include "tomo_journal.h"


static char *ngx_http_tomo_conf_path(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tomo_conf_max_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tomo_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tomo_conf_redirect(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tomo_conf_survey(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tomo_conf_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tomo_conf_location(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_loc_conf_t *tlcf, ngx_http_handler_pt handler,
    ngx_uint_t uses);
static ngx_int_t ngx_http_tomo_conf_fits(ngx_conf_t *cf,
    ngx_http_tomo_loc_conf_t *tlcf);
static ngx_int_t ngx_http_tomo_conf_needs(ngx_conf_t *cf,
    ngx_http_tomo_main_conf_t *tmcf);


ngx_command_t  ngx_http_tomo_commands[] = {

    { ngx_string("tomo_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_tomo_conf_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_tomo_conf_redis,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_journal"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_tomo_conf_journal,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_tomo_conf_key_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_clock_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_tomo_conf_path,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_tomo_main_conf_t, clock_file),
      NULL },

    { ngx_string("tomo_click_address"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_tomo_main_conf_t, click_address),
      NULL },

    { ngx_string("tomo_max_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tomo_conf_max_body,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tomo_loc_conf_t, max_body),
      NULL },

    { ngx_string("tomo_webhook"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_tomo_conf_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_redirect"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_tomo_conf_redirect,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_survey"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_tomo_conf_survey,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tomo_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_tomo_conf_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


void *
ngx_http_tomo_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_tomo_main_conf_t  *tmcf;

    /* pointers NULL, strings empty, nothing of this process yet */

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tomo_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    tmcf->click_address = NGX_CONF_UNSET;

    return tmcf;
}


char *
ngx_http_tomo_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_tomo_main_conf_t  *tmcf = conf;

    ngx_conf_init_value(tmcf->click_address, 0);

    if (ngx_http_tomo_conf_needs(cf, tmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (tmcf->journal_conf
        && ngx_http_tomo_check_folder(cf, &tmcf->journal_conf->path)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (tmcf->snapshot.len
        && ngx_http_tomo_check_parent(cf, &tmcf->snapshot, "tomo_zone")
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* which directive cannot do without which */

static ngx_int_t
ngx_http_tomo_conf_needs(ngx_conf_t *cf, ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_uint_t    i;
    ngx_uint_t    uses;
    const char   *missing;

    static const struct {
        ngx_uint_t   bit;
        const char  *name;
    } handlers[] = {
        { NGX_HTTP_TOMO_USES_WEBHOOK, "tomo_webhook" },
        { NGX_HTTP_TOMO_USES_REDIRECT, "tomo_redirect" },
        { NGX_HTTP_TOMO_USES_SURVEY, "tomo_survey" },
        { NGX_HTTP_TOMO_USES_STATUS, "tomo_status" }
    };

    for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        uses = tmcf->locations & handlers[i].bit;

        if (uses == 0) {
            continue;
        }

        missing = NULL;

        if (tmcf->shm_zone == NULL) {
            missing = "tomo_zone";

        } else if (uses == NGX_HTTP_TOMO_USES_STATUS) {
            continue;

        } else if (tmcf->journal_conf == NULL) {
            missing = "tomo_journal";

        } else if (tmcf->keys == NULL) {
            missing = "tomo_key_file";
        }

        if (missing) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s\" directive needs \"%s\" in \"http\"",
                               handlers[i].name, missing);
            return NGX_ERROR;
        }
    }

    if (tmcf->journal_conf && tmcf->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"tomo_journal\" directive needs \"tomo_zone\"");
        return NGX_ERROR;
    }

    if (tmcf->journal_conf && tmcf->redis == NULL) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "no \"tomo_redis\" directive: the journal is kept "
                           "but nothing is shipped");
    }

    return NGX_OK;
}


void *
ngx_http_tomo_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_tomo_loc_conf_t  *tlcf;

    tlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tomo_loc_conf_t));
    if (tlcf == NULL) {
        return NULL;
    }

    tlcf->max_body = NGX_CONF_UNSET_SIZE;

    return tlcf;
}


char *
ngx_http_tomo_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tomo_loc_conf_t  *prev = parent;
    ngx_http_tomo_loc_conf_t  *conf = child;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* `if` and `limit_except` are still the same location */

    if (clcf->noname && conf->handler == NULL && prev->handler) {
        conf->handler = prev->handler;
        conf->name = prev->name;
        clcf->handler = prev->handler;
    }

    if (conf->max_body == NGX_CONF_UNSET_SIZE) {
        conf->max_body = prev->max_body;
    }

    if (conf->handler
        && (conf->handler == ngx_http_tomo_webhook_handler
            || conf->handler == ngx_http_tomo_survey_handler))
    {
        if (conf->max_body == NGX_CONF_UNSET_SIZE) {
            conf->max_body = conf->handler == ngx_http_tomo_survey_handler
                             ? 64 * 1024 : 1024 * 1024;
        }

        /* nginx then refuses larger ones before it reads them */

        clcf->client_max_body_size = (off_t) conf->max_body;

        if (ngx_http_tomo_conf_fits(cf, conf) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* a survey's answers grow at most threefold by their encoding */

static ngx_int_t
ngx_http_tomo_conf_fits(ngx_conf_t *cf, ngx_http_tomo_loc_conf_t *tlcf)
{
    size_t                      record;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tomo_module);

    record = tlcf->max_body + NGX_HTTP_TOMO_RECORD_ROOM;

    if (tlcf->handler == ngx_http_tomo_survey_handler) {
        record += 2 * tlcf->max_body;
    }

    if (record > TOMO_JOURNAL_PAYLOAD_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"tomo_max_body\" %uz of a \"tomo_%V\" location "
                           "is too large: no record of the journal holds it",
                           tlcf->max_body, &tlcf->name);
        return NGX_ERROR;
    }

    if (record > tmcf->journal_conf->segment) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"tomo_max_body\" %uz of a \"tomo_%V\" location "
                           "does not fit a segment: raise \"segment=\" in "
                           "\"tomo_journal\" above %uz", tlcf->max_body,
                           &tlcf->name, record);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a file name, made absolute */

static char *
ngx_http_tomo_conf_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char       *rv;
    ngx_str_t  *path;

    path = (ngx_str_t *) ((u_char *) conf + cmd->offset);

    if (path->data) {
        return "is duplicate";
    }

    rv = ngx_conf_set_str_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_conf_full_name(cf->cycle, path, 0) == NGX_OK ? NGX_CONF_OK
                                                            : NGX_CONF_ERROR;
}


static char *
ngx_http_tomo_conf_max_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      *rv;
    ngx_str_t                 *value = cf->args->elts;
    ngx_http_tomo_loc_conf_t  *tlcf = conf;

    rv = ngx_conf_set_size_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (tlcf->max_body < NGX_HTTP_TOMO_BODY_MIN
        || tlcf->max_body > NGX_HTTP_TOMO_BODY_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive: it must "
                           "be between %uz and %uz bytes", &value[1],
                           &cmd->name, (size_t) NGX_HTTP_TOMO_BODY_MIN,
                           (size_t) NGX_HTTP_TOMO_BODY_MAX);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tomo_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_tomo_conf_location(cf, cmd, conf,
                                       ngx_http_tomo_webhook_handler,
                                       NGX_HTTP_TOMO_USES_WEBHOOK);
}


static char *
ngx_http_tomo_conf_redirect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_tomo_conf_location(cf, cmd, conf,
                                       ngx_http_tomo_redirect_handler,
                                       NGX_HTTP_TOMO_USES_REDIRECT);
}


static char *
ngx_http_tomo_conf_survey(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_tomo_conf_location(cf, cmd, conf,
                                       ngx_http_tomo_survey_handler,
                                       NGX_HTTP_TOMO_USES_SURVEY);
}


static char *
ngx_http_tomo_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_tomo_conf_location(cf, cmd, conf,
                                       ngx_http_tomo_status_handler,
                                       NGX_HTTP_TOMO_USES_STATUS);
}


static char *
ngx_http_tomo_conf_location(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_loc_conf_t *tlcf, ngx_http_handler_pt handler,
    ngx_uint_t uses)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_tomo_main_conf_t  *tmcf;

    if (tlcf->handler == handler) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "cannot share a location with another handler";
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tomo_module);
    tmcf->locations |= uses;

    clcf->handler = handler;
    tlcf->handler = handler;

    /* "tomo_webhook" → "webhook" */

    tlcf->name = cmd->name;
    tlcf->name.data += sizeof("tomo_") - 1;
    tlcf->name.len -= sizeof("tomo_") - 1;

    return NGX_CONF_OK;
}
