/*
 * ngx_http_tomo_args: directives with name=value arguments: tomo_zone,
 * tomo_redis, tomo_journal.
 */

#include "ngx_http_tomo_conf.h"
#include "ngx_http_tomo_zone.h"


static ngx_int_t ngx_http_tomo_args_value(ngx_str_t *arg, const char *name,
    ngx_str_t *value);
static char *ngx_http_tomo_args_bad(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *arg, const char *why);
static char *ngx_http_tomo_args_zone_size(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *arg, ngx_str_t value);
static char *ngx_http_tomo_args_redis(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_redis_conf_t *rcf, ngx_str_t *arg);
static char *ngx_http_tomo_args_address(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_redis_conf_t *rcf, ngx_str_t *arg);
static char *ngx_http_tomo_args_password(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_tomo_redis_conf_t *rcf);
static char *ngx_http_tomo_args_timeout(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *arg, ngx_str_t *value, ngx_msec_t *timeout);
static char *ngx_http_tomo_args_journal(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_journal_conf_t *jcf, ngx_str_t *arg);
static ngx_int_t ngx_http_tomo_args_folder(ngx_conf_t *cf,
    ngx_http_tomo_journal_conf_t *jcf, ngx_str_t *arg);


char *
ngx_http_tomo_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    ngx_str_t                  *value = cf->args->elts;
    ngx_str_t                   arg;
    ngx_uint_t                  i;
    ngx_http_tomo_main_conf_t  *tmcf = conf;

    if (tmcf->shm_zone) {
        return "is duplicate";
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_tomo_args_value(&value[i], "zone=", &arg) == NGX_OK) {
            rv = ngx_http_tomo_args_zone_size(cf, cmd, &value[i], arg);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

        } else if (ngx_http_tomo_args_value(&value[i], "snapshot=", &arg)
                   == NGX_OK)
        {
            if (arg.len == 0) {
                return ngx_http_tomo_args_bad(cf, cmd, &value[i],
                                              "no file name");
            }

            if (ngx_conf_full_name(cf->cycle, &arg, 0) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            tmcf->snapshot = arg;

        } else {
            return ngx_http_tomo_args_bad(cf, cmd, &value[i],
                                          "unknown parameter");
        }
    }

    if (tmcf->shm_zone == NULL) {
        return "must have a \"zone=name:size\" parameter";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tomo_args_zone_size(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *arg, ngx_str_t value)
{
    u_char                     *p;
    ssize_t                     size;
    ngx_str_t                   s;
    ngx_http_tomo_zone_t       *tz;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tomo_module);

    p = ngx_strlchr(value.data, value.data + value.len, ':');
    if (p == NULL || p == value.data) {
        return ngx_http_tomo_args_bad(cf, cmd, arg, "not name:size");
    }

    s.data = p + 1;
    s.len = (size_t) (value.data + value.len - s.data);
    size = ngx_parse_size(&s);

    if (size == NGX_ERROR) {
        return ngx_http_tomo_args_bad(cf, cmd, arg, "the size is no size");
    }

    if (size < NGX_HTTP_TOMO_ZONE_MIN) {
        return ngx_http_tomo_args_bad(cf, cmd, arg,
                                      "the zone is too small: at least 1m");
    }

    value.len = (size_t) (p - value.data);

    tz = ngx_pcalloc(cf->pool, sizeof(ngx_http_tomo_zone_t));
    if (tz == NULL) {
        return NGX_CONF_ERROR;
    }

    tmcf->shm_zone = ngx_shared_memory_add(cf, &value, (size_t) size,
                                           &ngx_http_tomo_module);
    if (tmcf->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    tz->tmcf = tmcf;
    tmcf->zone = tz;
    tmcf->shm_zone->init = ngx_http_tomo_zone_init;
    tmcf->shm_zone->data = tz;

    return NGX_CONF_OK;
}


char *
ngx_http_tomo_conf_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                        *rv;
    ngx_str_t                   *value = cf->args->elts;
    ngx_uint_t                   i;
    ngx_http_tomo_main_conf_t   *tmcf = conf;
    ngx_http_tomo_redis_conf_t  *rcf;

    if (tmcf->redis) {
        return "is duplicate";
    }

    rcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tomo_redis_conf_t));
    if (rcf == NULL) {
        return NGX_CONF_ERROR;
    }

    rcf->connect_timeout = 1000;
    rcf->timeout = 2000;

    rv = ngx_http_tomo_args_address(cf, cmd, rcf, &value[1]);

    for (i = 2; rv == NGX_CONF_OK && i < cf->args->nelts; i++) {
        rv = ngx_http_tomo_args_redis(cf, cmd, rcf, &value[i]);
    }

    if (rv == NGX_CONF_OK && rcf->user.len && rcf->password.len == 0) {
        rv = ngx_http_tomo_args_bad(cf, cmd, &rcf->user,
                                    "user= needs password_file=");
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    tmcf->redis = rcf;

    return NGX_CONF_OK;
}


static char *
ngx_http_tomo_args_redis(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_redis_conf_t *rcf, ngx_str_t *arg)
{
    ngx_str_t  value;

    if (ngx_http_tomo_args_value(arg, "user=", &value) == NGX_OK) {
        rcf->user = value;
        return NGX_CONF_OK;
    }

    if (ngx_http_tomo_args_value(arg, "password_file=", &value) == NGX_OK) {
        return ngx_http_tomo_args_password(cf, &value, rcf);
    }

    if (ngx_http_tomo_args_value(arg, "connect_timeout=", &value) == NGX_OK)
    {
        return ngx_http_tomo_args_timeout(cf, cmd, arg, &value,
                                          &rcf->connect_timeout);
    }

    if (ngx_http_tomo_args_value(arg, "timeout=", &value) == NGX_OK) {
        return ngx_http_tomo_args_timeout(cf, cmd, arg, &value,
                                          &rcf->timeout);
    }

    if (ngx_strcmp(arg->data, "durability=strict") == 0
        || ngx_strcmp(arg->data, "durability=relaxed") == 0)
    {
        rcf->relaxed = arg->data[11] == 'r';
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(arg->data, "assume_checked=on") == 0
        || ngx_strcmp(arg->data, "assume_checked=off") == 0)
    {
        rcf->assumed = arg->data[16] == 'n';
        return NGX_CONF_OK;
    }

    return ngx_http_tomo_args_bad(cf, cmd, arg, "unknown parameter");
}


/* a name is looked up here, once: nothing at run time may block on DNS */

static char *
ngx_http_tomo_args_address(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_redis_conf_t *rcf, ngx_str_t *arg)
{
    size_t      len;
    u_char     *text;
    ngx_str_t   path;
    ngx_url_t   u;

    if (ngx_http_tomo_args_value(arg, "unix:", &path) == NGX_OK) {
        if (path.len == 0 || path.len > NGX_HTTP_TOMO_UNIX_MAX) {
            return ngx_http_tomo_args_bad(cf, cmd, arg,
                          "the path of a socket has 1 to 107 bytes");
        }

        rcf->host = path;               /* NUL-terminated by the parser */
        return NGX_CONF_OK;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = *arg;
    u.default_port = 6379;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        return ngx_http_tomo_args_bad(cf, cmd, arg, u.err ? u.err
                                      : "not unix:PATH or ADDRESS:PORT");
    }

    text = ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN + 1);
    if (text == NULL) {
        return NGX_CONF_ERROR;
    }

    len = ngx_sock_ntop(u.addrs[0].sockaddr, u.addrs[0].socklen, text,
                        NGX_SOCKADDR_STRLEN, 0);

    /* hiredis wants a bare IPv6 address, nginx writes it in brackets */

    if (len > 2 && text[0] == '[') {
        text++;
        len -= 2;
    }

    text[len] = '\0';
    rcf->host.data = text;
    rcf->host.len = len;
    rcf->port = ngx_inet_get_port(u.addrs[0].sockaddr);

    return NGX_CONF_OK;
}


static char *
ngx_http_tomo_args_password(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_tomo_redis_conf_t *rcf)
{
    u_char  *end;

    if (ngx_http_tomo_conf_secret(cf, name, "tomo_redis", &rcf->password)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    end = ngx_strlchr(rcf->password.data,
                      rcf->password.data + rcf->password.len, '\n');
    if (end) {
        rcf->password.len = (size_t) (end - rcf->password.data);
    }

    if (rcf->password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"tomo_redis\" directive is empty: "
                           "write the password into its first line", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tomo_args_timeout(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *arg,
    ngx_str_t *value, ngx_msec_t *timeout)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);
    if (ms == NGX_ERROR || ms == 0) {
        return ngx_http_tomo_args_bad(cf, cmd, arg, "no time above 0");
    }

    *timeout = (ngx_msec_t) ms;

    return NGX_CONF_OK;
}


char *
ngx_http_tomo_conf_journal(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                          *rv;
    ngx_str_t                     *value = cf->args->elts;
    ngx_uint_t                     i;
    ngx_http_tomo_main_conf_t     *tmcf = conf;
    ngx_http_tomo_journal_conf_t  *jcf;

    if (tmcf->journal_conf) {
        return "is duplicate";
    }

    jcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tomo_journal_conf_t));
    if (jcf == NULL) {
        return NGX_CONF_ERROR;
    }

    jcf->keep = 72 * 3600;
    jcf->max = (off_t) 4 * 1024 * 1024 * 1024;
    jcf->segment = 8 * 1024 * 1024;

    if (ngx_http_tomo_args_folder(cf, jcf, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_tomo_args_journal(cf, cmd, jcf, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (jcf->max < (off_t) (2 * jcf->segment)) {
        return "has a max= below two segments: raise max= or lower segment=";
    }

    tmcf->thread_pool = ngx_thread_pool_add(cf, NULL);
    if (tmcf->thread_pool == NULL) {
        return NGX_CONF_ERROR;
    }

    tmcf->journal_conf = jcf;

    return NGX_CONF_OK;
}


static char *
ngx_http_tomo_args_journal(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_tomo_journal_conf_t *jcf, ngx_str_t *arg)
{
    ssize_t    size;
    ngx_str_t  value;

    if (ngx_http_tomo_args_value(arg, "keep=", &value) == NGX_OK) {
        jcf->keep = ngx_parse_time(&value, 1);

        if (jcf->keep == (time_t) NGX_ERROR) {
            return ngx_http_tomo_args_bad(cf, cmd, arg, "no time");
        }

        jcf->keep = ngx_max(jcf->keep, NGX_HTTP_TOMO_KEEP_MIN_S);
        return NGX_CONF_OK;
    }

    if (ngx_http_tomo_args_value(arg, "max=", &value) == NGX_OK) {
        jcf->max = ngx_parse_offset(&value);

        return jcf->max <= 0
               ? ngx_http_tomo_args_bad(cf, cmd, arg, "no size")
               : NGX_CONF_OK;
    }

    if (ngx_http_tomo_args_value(arg, "segment=", &value) == NGX_OK) {
        size = ngx_parse_size(&value);

        if (size < NGX_HTTP_TOMO_SEGMENT_MIN
            || size > NGX_HTTP_TOMO_SEGMENT_MAX
            || size % 4096)
        {
            return ngx_http_tomo_args_bad(cf, cmd, arg,
                           "a segment has 1m to 1g, a multiple of 4k");
        }

        jcf->segment = (size_t) size;
        return NGX_CONF_OK;
    }

    return ngx_http_tomo_args_bad(cf, cmd, arg, "unknown parameter");
}


/* made and given to the workers' user by nginx, like its temp folders */

static ngx_int_t
ngx_http_tomo_args_folder(ngx_conf_t *cf, ngx_http_tomo_journal_conf_t *jcf,
    ngx_str_t *arg)
{
    ngx_path_t  *path;

    jcf->path = *arg;

    while (jcf->path.len > 1 && jcf->path.data[jcf->path.len - 1] == '/') {
        jcf->path.data[--jcf->path.len] = '\0';
    }

    if (ngx_conf_full_name(cf->cycle, &jcf->path, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_ERROR;
    }

    path->name = jcf->path;
    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    return ngx_add_path(cf, &path);
}


/* "name=value": the value, NUL-terminated as its argument is */

static ngx_int_t
ngx_http_tomo_args_value(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len < len || ngx_strncmp(arg->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    value->data = arg->data + len;
    value->len = arg->len - len;

    return NGX_OK;
}


static char *
ngx_http_tomo_args_bad(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *arg,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\" directive: %s", arg,
                       &cmd->name, why);

    return NGX_CONF_ERROR;
}
