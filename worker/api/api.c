/* api: see api.h */

#include "api.h"

#include "clock.h"
#include "commands.h"
#include "http.h"
#include "log.h"
#include "routes.h"
#include "sandbox.h"

#define API_TICK_MS  50


static tomo_rc_e
api_start(routes_t *routes, context_t *ctx, const conf_t *conf)
{
    if (context_init(ctx, conf) != TOMO_OK) {
        return TOMO_INVALID;
    }

    routes->ctx = ctx;
    routes->start_ms = clock_real_ms();
    routes->names = names_new(conf);

    if (routes->names == NULL
        || commands_start(conf, &ctx->commands) != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    if (conf->clock_file && sandbox_start(conf, &ctx->sandbox) != TOMO_OK) {
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


/* suspended requests must be answered before the server can stop */
static void
api_stop(routes_t *routes, context_t *ctx, http_t *http)
{
    if (ctx->sandbox) {
        sandbox_stop(ctx->sandbox);
    }

    if (ctx->commands) {
        commands_stop(ctx->commands);
    }

    if (http) {
        http_stop(http);
    }

    if (ctx->sandbox) {
        sandbox_free(ctx->sandbox);
    }

    if (ctx->commands) {
        commands_free(ctx->commands);
    }

    if (routes->names) {
        names_free(routes->names);
    }

    context_free(ctx);
}


int
api_main(role_t *role)
{
    int        code = ROLE_EXIT_FAIL;
    http_t    *http = NULL;
    routes_t   routes = { .ctx = NULL };
    context_t  ctx;
    tomo_rc_e  rc;

    if (role->conf->api_socket == NULL) {
        log_error("api", "no socket: set [api] socket");
        return ROLE_EXIT_CONF;
    }

    rc = api_start(&routes, &ctx, role->conf);

    if (rc == TOMO_INVALID) {
        return ROLE_EXIT_CONF;
    }

    if (rc == TOMO_OK) {
        http = http_start(role->conf->api_socket, routes_admit, routes_handle,
                          &routes);
    }

    if (http) {
        code = ROLE_EXIT_OK;
        role_ready(role);

        while (!role_stopping(role)) {
            (void) role_poll(role, NULL, 0, API_TICK_MS);
            role_alive(role);
            commands_expire(ctx.commands);

            if (commands_failed(ctx.commands)) {
                code = ROLE_EXIT_FAIL;
                break;
            }
        }
    }

    api_stop(&routes, &ctx, http);

    return code;
}
