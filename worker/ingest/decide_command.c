/*
 * decide_command: what the api asks for (docs/formats.md, Commands).  Every
 * command is answered in the commit that decides it.
 */

#include "defstore.h"
#include "erase.h"
#include "json.h"
#include "kinds.h"
#include "tomo_keys.h"

#define COMMAND_BODY_BYTES  2048

typedef struct {
    int         status;
    tomo_buf_t  body;
    uint8_t     bytes[COMMAND_BODY_BYTES];
} command_answer_t;

typedef void (*command_pt)(decision_t *d, command_answer_t *a);


static void
command_audit(decision_t *d, const char *verb, tomo_str_t what, int status)
{
    tomo_str_t  actor = tomo_str("?");

    (void) !json_str(d->ev->command, "actor", &actor);
    commit_op(d->c, 'x', decision_key(d, tomo_key_audit));
    commit_pair_i64(d->c, "at", d->ev->at_ms);
    commit_pair(d->c, "actor", actor);
    commit_pair(d->c, "do", tomo_str_c(verb));
    commit_pair(d->c, "what", what);
    commit_pair_u64(d->c, "status", (uint64_t) status);
    commit_end(d->c);
}


static void
command_fault(command_answer_t *a, int status, const char *path,
    const char *why)
{
    a->status = status;
    json_open(&a->body, NULL, '{');
    json_open(&a->body, "error", '{');
    json_put_c(&a->body, "code", status == 409 ? "stale"
                                 : status == 422 ? "invalid"
                                 : status == 404 ? "not_found" : "failed");
    json_put_c(&a->body, "message", why);

    if (path != NULL) {
        json_put_c(&a->body, "path", path);
    }
}


static void
command_fault_end(command_answer_t *a)
{
    json_close(&a->body, '}');
    json_close(&a->body, '}');
}


static void
command_definition_put(decision_t *d, command_answer_t *a)
{
    json_t      *document;
    uint8_t      name[160];
    def_kind_e   kind;
    def_edit_t   edit;
    def_fault_t  fault;
    tomo_buf_t   b;
    const def_t *def;

    if (json_str(d->ev->command, "kind", &edit.kind) != TOMO_OK
        || json_str(d->ev->command, "key", &edit.id) != TOMO_OK
        || (document = json_get(d->ev->command, "document")) == NULL)
    {
        command_fault(a, 422, "", "needs kind, key and document");
        command_fault_end(a);
        return;
    }

    tomo_buf_init(&b, tomo_arena_alloc(d->arena, 6 * DEF_DOCUMENT_MAX),
                  6 * DEF_DOCUMENT_MAX);

    if (b.data == NULL) {
        return;
    }

    json_put(&b, NULL, document);
    edit.document = tomo_buf_str(&b);

    if (defstore_put(d->o, &edit, d->now_ms, &fault) != TOMO_OK) {
        command_fault(a, fault.status != 0 ? fault.status : 503, fault.path,
                      fault.why);

        if (fault.status == 409) {
            json_put_i64(&a->body, "revision", fault.revision);
        }

        command_fault_end(a);

    } else if (defs_kind_parse(edit.kind, &kind) == TOMO_OK
               && (def = defs_find(d->o->defs, kind, edit.id)) != NULL)
    {
        a->status = 200;
        json_open(&a->body, NULL, '{');
        json_put_str(&a->body, "kind", edit.kind);
        json_put_str(&a->body, "id", edit.id);
        json_put_i64(&a->body, "revision", def->revision);
        json_close(&a->body, '}');
    }

    tomo_buf_init(&b, name, sizeof(name));
    tomo_buf_put(&b, edit.kind);
    tomo_buf_byte(&b, '/');
    tomo_buf_put(&b, edit.id);
    command_audit(d, "definition.put", tomo_buf_str(&b), a->status);
}


static void
command_deleted(command_answer_t *a, const gone_stone_t *stone)
{
    a->status = 200;
    json_open(&a->body, NULL, '{');
    json_put_i64(&a->body, "id", stone->serial);
    json_put_i64(&a->body, "deleted_at", stone->at_ms);
    json_put_i64(&a->body, "complete_at", stone->complete_ms);
    json_close(&a->body, '}');
}


/* a second time it tells the same */
static void
command_friend_delete(decision_t *d, command_answer_t *a)
{
    uint8_t              what[32];
    tomo_buf_t           b;
    const gone_stone_t  *stone;

    stone = d->f != NULL ? erase_friend(d)
                         : gone_by_serial(&d->o->gone, d->ev->serial);

    if (stone != NULL) {
        command_deleted(a, stone);

    } else {
        command_fault(a, d->f != NULL ? 503 : 404, NULL,
                      d->f != NULL ? "out of memory: try again"
                                   : "there is no such friend");
        command_fault_end(a);
        d->f = NULL;
    }

    tomo_buf_init(&b, what, sizeof(what));
    tomo_buf_c(&b, "friend/");
    tomo_buf_u64(&b, d->ev->serial);
    command_audit(d, "friend.delete", tomo_buf_str(&b), a->status);
}


/* its answer proves that everything before it is decided */
static void
command_tick(decision_t *d, command_answer_t *a)
{
    a->status = 200;
    json_open(&a->body, NULL, '{');
    json_put_i64(&a->body, "now_ms", d->now_ms);
    json_close(&a->body, '}');
}


static const struct {
    const char  *name;
    command_pt   run;
} commands[] = {
    { "definition.put", command_definition_put },
    { "friend.delete", command_friend_delete },
    { "sandbox.tick", command_tick },
};


tomo_rc_e
decide_command(decision_t *d)
{
    size_t            i;
    tomo_str_t        id, verb;
    command_answer_t  a;

    d->silent = true;

    if (json_str(d->ev->command, "id", &id) != TOMO_OK
        || json_str(d->ev->command, "do", &verb) != TOMO_OK)
    {
        d->ev->fault = "command_odd";
        return TOMO_INVALID;
    }

    a.status = 0;
    tomo_buf_init(&a.body, a.bytes, sizeof(a.bytes));

    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (tomo_str_eq(verb, tomo_str_c(commands[i].name))) {
            commands[i].run(d, &a);
            break;
        }
    }

    if (a.status == 0) {
        a.body.len = 0;
        command_fault(&a, 400, NULL, "there is no such command");
        command_fault_end(&a);
    }

    commit_op(d->c, 'X', decision_key(d, tomo_key_result));
    commit_pair(d->c, "id", id);
    commit_pair_u64(d->c, "status", (uint64_t) a.status);
    commit_pair(d->c, "body", tomo_buf_str(&a.body));
    commit_end(d->c);

    return TOMO_OK;
}
