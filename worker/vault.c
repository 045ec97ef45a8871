#include "vault.h"

#include <stdlib.h>
#include <string.h>

#include "ids.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_send.h"

#define VAULT_FILE_MAX  512

static const char *const  vault_labels[VAULT_NAMES] = {
    "retry-key", "tombstone"
};


const char *
vault_name_label(size_t i)
{
    return vault_labels[i];
}


tomo_rc_e
vault_names(vault_file_t *file)
{
    tomo_rc_e  rc = TOMO_OK;

    for (size_t i = 0; i < VAULT_NAMES && rc == TOMO_OK; i++) {
        if (!file->named[i]) {
            rc = tomo_mac_derive(tomo_str_n(file->key[0], 32),
                                 vault_labels[i], file->name[i]);
        }
    }

    return rc;
}


/* `retry-key:HEX` or `tombstone:HEX`; false: it is neither */

static bool
vault_line_name(tomo_str_t label, tomo_str_t hex, vault_file_t *file,
    const char **why)
{
    tomo_buf_t  b;

    for (size_t i = 0; i < VAULT_NAMES; i++) {
        if (!tomo_str_eq(label, tomo_str_c(vault_labels[i]))) {
            continue;
        }

        tomo_buf_init(&b, file->name[i], 32);

        if (file->named[i] || tomo_hex_get(hex, &b) != TOMO_OK || b.len != 32)
        {
            *why = "must hold each name once, with 64 hex digits";
        }

        file->named[i] = true;

        return true;
    }

    return false;
}


static const char *
vault_line(tomo_str_t line, vault_file_t *file)
{
    size_t      colon = tomo_str_find(line, 0, ':');
    uint64_t    id;
    tomo_buf_t  key;
    const char  *why = NULL;

    if (colon < line.len
        && vault_line_name(tomo_str_n(line.data, colon),
                           tomo_str_n(line.data + colon + 1,
                                      line.len - colon - 1), file, &why))
    {
        return why;
    }

    if (file->n == 2) {
        return "has more than two keys: keep the new one and the one before";
    }

    if (colon == line.len
        || tomo_u64_get(tomo_str_n(line.data, colon), 15, &id) != TOMO_OK)
    {
        return "must hold lines ID:KEY with an ID from 0 to 15";
    }

    tomo_buf_init(&key, file->key[file->n], 32);

    if (tomo_hex_get(tomo_str_n(line.data + colon + 1, line.len - colon - 1),
                     &key) != TOMO_OK || key.len != 32)
    {
        return "must hold keys of 64 hex digits";
    }

    file->id[file->n++] = (uint8_t) id;

    if (file->n == 2 && file->id[0] == file->id[1]) {
        return "gives one ID two keys: number the new key differently";
    }

    if (file->n == 2 && memcmp(file->key[0], file->key[1], 32) == 0) {
        return "holds the same key twice: make a new one";
    }

    return NULL;
}


tomo_rc_e
vault_file_read(const char *path, vault_file_t *file, const char **why)
{
    char        *text;
    size_t       len;
    tomo_str_t   rest, line;

    memset(file, 0, sizeof(*file));
    text = conf_secret_read(path, VAULT_FILE_MAX, &len, why);

    if (text == NULL) {
        return TOMO_INVALID;
    }

    rest = tomo_str_n(text, len);

    while (*why == NULL && rest.len > 0) {
        size_t  end = tomo_str_find(rest, 0, '\n');

        line = tomo_str_n(rest.data, end);
        *why = vault_line(line, file);
        end += end < rest.len;
        rest = tomo_str_n(rest.data + end, rest.len - end);
    }

    tomo_mac_wipe(text, len);
    free(text);

    if (*why == NULL && file->n == 0) {
        *why = "holds no key: write a line ID:64 hex digits";
    }

    if (*why != NULL) {
        tomo_mac_wipe(file, sizeof(*file));
        return TOMO_INVALID;
    }

    return TOMO_OK;
}


static tomo_rc_e
vault_load(const char *path, vault_file_t *file)
{
    const char  *why;

    if (vault_file_read(path, file, &why) != TOMO_OK) {
        log_error("key file", "%s %s", path, why);
        return TOMO_INVALID;
    }

    return TOMO_OK;
}


static tomo_rc_e
vault_edge(vault_t *v, const vault_file_t *file)
{
    tomo_rc_e  rc;

    for (size_t i = 0; i < file->n; i++) {
        tomo_str_t  master = tomo_str_n(file->key[i], 32);

        rc = tomo_token_key_init(&v->tokens.keys[i], file->id[i], master);

        if (rc != TOMO_OK) {
            return rc;
        }

        v->tokens.n = i + 1;
        rc = tomo_mac_derive(master, "edge-seal", v->edge_seal[i]);

        if (rc != TOMO_OK) {
            return rc;
        }

        v->n_edge = i + 1;
    }

    v->edge_first = file->id[0];

    return TOMO_OK;
}


bool
vault_prefer(vault_t *v, uint32_t known)
{
    size_t            first, want;
    uint8_t           seal[32];
    tomo_token_key_t  key;

    if (v->tokens.n < 2) {
        return false;
    }

    first = v->tokens.keys[0].id == v->edge_first ? 0 : 1;
    want = first;

    if (!(known & UINT32_C(1) << v->tokens.keys[first].id)
        && (known & UINT32_C(1) << v->tokens.keys[1 - first].id))
    {
        want = 1 - first;
    }

    if (want == 0) {
        return false;
    }

    key = v->tokens.keys[0];
    v->tokens.keys[0] = v->tokens.keys[1];
    v->tokens.keys[1] = key;
    memcpy(seal, v->edge_seal[0], 32);
    memcpy(v->edge_seal[0], v->edge_seal[1], 32);
    memcpy(v->edge_seal[1], seal, 32);
    tomo_mac_wipe(seal, sizeof(seal));

    return true;
}


static tomo_rc_e
vault_worker(vault_t *v, vault_file_t *file)
{
    tomo_rc_e  rc;

    for (size_t i = 0; i < file->n; i++) {
        rc = tomo_mac_derive(tomo_str_n(file->key[i], 32), "worker-seal",
                             v->worker_seal[i]);

        if (rc != TOMO_OK) {
            return rc;
        }

        v->n_worker = i + 1;
    }

    rc = vault_names(file);

    if (rc == TOMO_OK) {
        rc = tomo_mac_init(&v->retry, tomo_str_n(file->name[VAULT_RETRY],
                                                 32));
    }

    if (rc == TOMO_OK) {
        rc = tomo_mac_init(&v->tombstone,
                           tomo_str_n(file->name[VAULT_TOMBSTONE], 32));
    }

    return rc;
}


tomo_rc_e
vault_open(vault_t *v, const conf_t *conf)
{
    tomo_rc_e     rc;
    vault_file_t  edge, worker;

    memset(v, 0, sizeof(*v));

    if (vault_load(conf->edge_key, &edge) != TOMO_OK) {
        return TOMO_INVALID;
    }

    if (vault_load(conf->worker_key, &worker) != TOMO_OK) {
        tomo_mac_wipe(&edge, sizeof(edge));
        return TOMO_INVALID;
    }

    rc = vault_edge(v, &edge);

    if (rc == TOMO_OK) {
        rc = vault_worker(v, &worker);
    }

    tomo_mac_wipe(&edge, sizeof(edge));
    tomo_mac_wipe(&worker, sizeof(worker));

    if (rc != TOMO_OK) {
        log_error("vault", "could not be opened: libcrypto refused a key");
        vault_close(v);
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


void
vault_close(vault_t *v)
{
    tomo_token_keys_free(&v->tokens);
    tomo_mac_free(&v->retry);
    tomo_mac_free(&v->tombstone);
    tomo_mac_wipe(v, sizeof(*v));
}


tomo_rc_e
vault_seal_edge(vault_t *v, tomo_str_t aad, tomo_str_t plain,
    tomo_buf_t *out)
{
    uint8_t  nonce[12];

    ids_random(nonce, sizeof(nonce));

    return tomo_seal(v->edge_seal[0], nonce, aad, plain, out);
}


tomo_rc_e
vault_seal_worker(vault_t *v, tomo_str_t aad, tomo_str_t plain,
    tomo_buf_t *out)
{
    uint8_t  nonce[12];

    ids_random(nonce, sizeof(nonce));

    return tomo_seal(v->worker_seal[0], nonce, aad, plain, out);
}


tomo_rc_e
vault_unseal_worker(vault_t *v, tomo_str_t aad, tomo_str_t sealed,
    tomo_buf_t *out)
{
    tomo_rc_e  rc = TOMO_DENIED;

    for (size_t i = 0; i < v->n_worker && rc == TOMO_DENIED; i++) {
        rc = tomo_seal_open(v->worker_seal[i], aad, sealed, out);
    }

    return rc;
}


tomo_rc_e
vault_retry_key(vault_t *v, tomo_str_t about, tomo_buf_t *out)
{
    uint8_t    mac[TOMO_MAC_BYTES];
    tomo_rc_e  rc;

    rc = tomo_mac_sign(&v->retry, about, mac);

    if (rc == TOMO_OK) {
        tomo_send_uuid(mac, out);
    }

    return rc;
}
