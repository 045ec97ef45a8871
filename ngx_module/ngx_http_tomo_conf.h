/*
 * ngx_http_tomo_conf: reading and checking the configuration, at `nginx -t`
 * and start.  All complaints go through ngx_conf_log_error and name
 * directive, value and reason; none needs Redis.  Runs in the master, as
 * root.
 */

#ifndef NGX_HTTP_TOMO_CONF_H
#define NGX_HTTP_TOMO_CONF_H

#include "ngx_http_tomo_module.h"

#define NGX_HTTP_TOMO_UNIX_MAX     107      /* sizeof(sun_path) - 1 */
#define NGX_HTTP_TOMO_BODY_MIN     1024
#define NGX_HTTP_TOMO_BODY_MAX     (4 * 1024 * 1024 - 64 * 1024)
#define NGX_HTTP_TOMO_RECORD_ROOM  4096     /* all of a record but its body */
#define NGX_HTTP_TOMO_SEGMENT_MIN  (1024 * 1024)
#define NGX_HTTP_TOMO_SEGMENT_MAX  (1024 * 1024 * 1024)

/* bits of tmcf->locations */
#define NGX_HTTP_TOMO_USES_WEBHOOK   0x01
#define NGX_HTTP_TOMO_USES_REDIRECT  0x02
#define NGX_HTTP_TOMO_USES_SURVEY    0x04
#define NGX_HTTP_TOMO_USES_STATUS    0x08

/* directives with arguments of their own (ngx_http_tomo_args.c) */
char *ngx_http_tomo_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tomo_conf_redis(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tomo_conf_journal(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* tomo_key_file (ngx_http_tomo_keys.c) */
char *ngx_http_tomo_conf_key_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads a small secret file into cf->pool, wiped with it.  Refuses a file
 * that everyone can read.  NGX_ERROR: logged.
 */
ngx_int_t ngx_http_tomo_conf_secret(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive, ngx_str_t *content);

/*
 * Can the workers keep a journal there?  Refuses tmpfs and what the worker's
 * user cannot write; warns on overlay and network file systems.  A missing
 * folder is made by nginx when its parent exists.
 */
ngx_int_t ngx_http_tomo_check_folder(ngx_conf_t *cf, ngx_str_t *path);
/* is the folder of this file there, and may the workers write in it? */
ngx_int_t ngx_http_tomo_check_parent(ngx_conf_t *cf, ngx_str_t *file,
    const char *directive);

#endif
