/*
 * ngx_http_tomo_keys: tomo_key_file and other secret files, read once by the
 * master.
 */

#include "ngx_http_tomo_conf.h"
#include "tomo_codec.h"

#define NGX_HTTP_TOMO_SECRET_MAX  4096


static char *ngx_http_tomo_keys_line(ngx_conf_t *cf, ngx_str_t *file,
    ngx_uint_t line, tomo_str_t text, ngx_http_tomo_keys_t *keys);
static ngx_int_t ngx_http_tomo_keys_prepare(ngx_http_tomo_keys_t *keys,
    uint8_t id, const uint8_t *master);
static ngx_fd_t ngx_http_tomo_keys_open(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive);
static void ngx_http_tomo_keys_free(void *data);
static void ngx_http_tomo_keys_wipe(void *data);


char *
ngx_http_tomo_conf_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    size_t                      from, to;
    ngx_str_t                  *value = cf->args->elts;
    ngx_str_t                   content;
    ngx_uint_t                  line;
    tomo_str_t                  all, text;
    ngx_pool_cleanup_t         *cln;
    ngx_http_tomo_main_conf_t  *tmcf = conf;

    if (tmcf->keys) {
        return "is duplicate";
    }

    if (ngx_http_tomo_conf_secret(cf, &value[1], "tomo_key_file", &content)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    tmcf->keys = ngx_pcalloc(cf->pool, sizeof(ngx_http_tomo_keys_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (tmcf->keys == NULL || cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_tomo_keys_free;
    cln->data = tmcf->keys;

    if (tomo_hash_init(&tmcf->keys->hash) != TOMO_OK) {
        return NGX_CONF_ERROR;
    }

    all = ngx_http_tomo_view(&content);

    for (from = 0, line = 1; from < all.len; from = to + 1, line++) {
        to = tomo_str_find(all, from, '\n');
        text = tomo_str_n(all.data + from, to - from);

        if (text.len == 0) {
            continue;
        }

        rv = ngx_http_tomo_keys_line(cf, &value[1], line, text, tmcf->keys);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (tmcf->keys->n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"tomo_key_file\" directive holds no "
                           "key: write a line ID:64 hex digits", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "ID:64 hex digits"; a complaint never shows the line */

static char *
ngx_http_tomo_keys_line(ngx_conf_t *cf, ngx_str_t *file, ngx_uint_t line,
    tomo_str_t text, ngx_http_tomo_keys_t *keys)
{
    size_t       colon;
    uint8_t      master[32];
    uint64_t     id;
    ngx_uint_t   i;
    ngx_int_t    rc;
    tomo_buf_t   out;
    const char  *why;

    why = NULL;
    id = 0;
    colon = tomo_str_find(text, 0, ':');
    tomo_buf_init(&out, master, sizeof(master));

    if (keys->n == TOMO_TOKEN_KEYS) {
        why = "there are at most two keys";

    } else if (colon == text.len
               || tomo_u64_get(tomo_str_n(text.data, colon), 15, &id)
                  != TOMO_OK)
    {
        why = "the id before the colon must be 0 to 15";

    } else if (text.len - colon - 1 != 64
               || tomo_hex_get(tomo_str_n(text.data + colon + 1, 64), &out)
                  != TOMO_OK)
    {
        why = "behind the colon must be 64 hex digits and nothing else";
    }

    for (i = 0; why == NULL && i < keys->n; i++) {
        if (keys->tokens.keys[i].id == id) {
            why = "the id is used twice";
        }
    }

    if (why) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid line %ui of \"%V\" in \"tomo_key_file\" "
                           "directive: %s", line, file, why);
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_tomo_keys_prepare(keys, (uint8_t) id, master);
    tomo_mac_wipe(master, sizeof(master));

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_tomo_keys_prepare(ngx_http_tomo_keys_t *keys, uint8_t id,
    const uint8_t *master)
{
    tomo_str_t  key;
    ngx_uint_t  n = keys->n;

    key = tomo_str_n(master, 32);

    if (tomo_token_key_init(&keys->tokens.keys[n], id, key) != TOMO_OK) {
        return NGX_ERROR;
    }

    keys->tokens.n = ++keys->n;

    if (tomo_mac_derive(key, "edge-seal", keys->seal[n]) != TOMO_OK
        || tomo_mac_derive(key, "edge-snapshot", keys->snapshot[n])
           != TOMO_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_tomo_keys_free(void *data)
{
    ngx_http_tomo_keys_t  *keys = data;

    tomo_token_keys_free(&keys->tokens);
    tomo_hash_free(&keys->hash);
    tomo_mac_wipe(keys->seal, sizeof(keys->seal));
    tomo_mac_wipe(keys->snapshot, sizeof(keys->snapshot));
}


static ngx_fd_t
ngx_http_tomo_keys_open(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive)
{
    ngx_fd_t  fd;

    /* O_NONBLOCK: a named pipe must not hang the start */

    fd = open((char *) name->data,
              O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE && ngx_errno == ELOOP) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%s\" directive is a symbolic link: "
                           "name the file itself", name, directive);

    } else if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open \"%V\" in \"%s\" directive", name,
                           directive);
    }

    return fd;
}


ngx_int_t
ngx_http_tomo_conf_secret(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive, ngx_str_t *content)
{
    ssize_t              n;
    ngx_fd_t             fd;
    const char          *why;
    ngx_file_info_t      fi;
    ngx_pool_cleanup_t  *cln;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_http_tomo_keys_open(cf, name, directive);
    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    why = NULL;
    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_str_t));
    content->data = ngx_pnalloc(cf->pool, NGX_HTTP_TOMO_SECRET_MAX);

    if (cln == NULL || content->data == NULL) {
        why = "out of memory";

    } else if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        why = "not a plain file";

    } else if (fi.st_mode & (S_IROTH|S_IWOTH)) {
        why = "everyone can read or change it: chmod 600, or 640";

    } else if (ngx_file_size(&fi) > NGX_HTTP_TOMO_SECRET_MAX) {
        why = "larger than 4096 bytes";
    }

    n = why ? 0 : ngx_read_fd(fd, content->data, NGX_HTTP_TOMO_SECRET_MAX);

    (void) ngx_close_file(fd);

    if (why == NULL && n == -1) {
        why = "cannot be read";
    }

    if (why) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%s\" directive is refused: %s", name,
                           directive, why);
        return NGX_ERROR;
    }

    content->len = (size_t) n;

    cln->handler = ngx_http_tomo_keys_wipe;
    *(ngx_str_t *) cln->data = *content;

    return NGX_OK;
}


static void
ngx_http_tomo_keys_wipe(void *data)
{
    ngx_str_t  *content = data;

    tomo_mac_wipe(content->data, content->len);
}
