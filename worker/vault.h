/*
 * vault: the worker's keys (docs/formats.md, Keys on disk): issuing and
 * opening tokens, sealing for the edge and for ourselves, MACs for retry keys
 * and tombstones.  Sealing takes the first key of a file, opening tries both.
 *
 * One vault belongs to one thread (libcrypto objects inside); open one each.
 */

#ifndef VAULT_H
#define VAULT_H

#include "conf.h"
#include "tomo_mac.h"
#include "tomo_token.h"

/*
 * Subkeys that outlive the key they came from: they name sends and deleted
 * persons, and never open anything.  A rotation writes them into the file.
 */
typedef enum {
    VAULT_RETRY = 0,
    VAULT_TOMBSTONE,
    VAULT_NAMES
} vault_name_e;

typedef struct {
    size_t   n;                 /* 1 or 2 */
    uint8_t  id[2];             /* 0..15 */
    uint8_t  key[2][32];
    bool     named[VAULT_NAMES];    /* written out in the file */
    uint8_t  name[VAULT_NAMES][32];
} vault_file_t;

typedef struct {
    tomo_token_keys_t  tokens;  /* from edge.key */
    tomo_mac_t         retry;   /* label retry-key */
    tomo_mac_t         tombstone;
    size_t             n_edge;
    size_t             n_worker;
    uint8_t            edge_seal[2][32];
    uint8_t            edge_first;      /* id of the first key in the file */
    uint8_t            worker_seal[2][32];
} vault_t;

/*
 * Reads a key file: one or two lines `ID:64 hex digits`; in worker.key also
 * `retry-key:` and `tombstone:` with 64.  TOMO_INVALID with a reason in why
 * (static text): form, mode, same id or same key twice.
 */
tomo_rc_e vault_file_read(const char *path, vault_file_t *file,
    const char **why) TOMO_MUST_CHECK;

/* fills the names that are not written out, from the first key */
tomo_rc_e vault_names(vault_file_t *file) TOMO_MUST_CHECK;
const char *vault_name_label(size_t i);

/* TOMO_INVALID, TOMO_ERROR: logged with what to do; *v is then unusable */
tomo_rc_e vault_open(vault_t *v, const conf_t *conf) TOMO_MUST_CHECK;
void vault_close(vault_t *v);   /* wipes */

/*
 * Which key of edge.key issues tokens and seals for edges: the file's first,
 * if every living edge has it (known: bit i for key id i), else the other, if
 * they have that.  So a new key may come to edges and workers in any order.
 * True: it is another one than before; feeds are to be sealed anew.
 */
bool vault_prefer(vault_t *v, uint32_t known);

/*
 * Seal for the edge (feed secrets) or for the worker (access tokens).  aad
 * binds the bytes to their place, e.g. "secret|demo|1".
 */
tomo_rc_e vault_seal_edge(vault_t *v, tomo_str_t aad, tomo_str_t plain,
    tomo_buf_t *out) TOMO_MUST_CHECK;
tomo_rc_e vault_seal_worker(vault_t *v, tomo_str_t aad, tomo_str_t plain,
    tomo_buf_t *out) TOMO_MUST_CHECK;
/* TOMO_DENIED: none of our keys opens it */
tomo_rc_e vault_unseal_worker(vault_t *v, tomo_str_t aad, tomo_str_t sealed,
    tomo_buf_t *out) TOMO_MUST_CHECK;

/*
 * The retry key of a row: UUID text (36 characters) of the MAC over what the
 * row is about (docs/formats.md, The outbox).
 */
tomo_rc_e vault_retry_key(vault_t *v, tomo_str_t about, tomo_buf_t *out)
    TOMO_MUST_CHECK;

#endif
