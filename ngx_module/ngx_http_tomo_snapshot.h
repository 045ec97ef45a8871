/*
 * ngx_http_tomo_snapshot: the sealed copy of the table on disk, so that the
 * edge works from a restart without Redis.
 *
 * The file is tomo_seal(key edge-snapshot, aad "snapshot") over one table
 * block.  It is replaced by rename, so it is whole or absent.
 */

#ifndef NGX_HTTP_TOMO_SNAPSHOT_H
#define NGX_HTTP_TOMO_SNAPSHOT_H

#include "ngx_http_tomo_zone.h"

#define NGX_HTTP_TOMO_SNAPSHOT_AAD  "snapshot"

/*
 * The master, when the zone is new: reads the file and publishes the block.
 * Missing: nothing; unreadable, of another key or damaged: a warning.
 */
void ngx_http_tomo_snapshot_load(ngx_http_tomo_zone_t *tz, ngx_log_t *log);

#endif
