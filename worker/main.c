/*
 * tomo-worker: reads its options, then supervises the roles, or is one.
 */

#include <curl/curl.h>
#include <getopt.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "doctor/doctor.h"
#include "doctor/hold.h"
#include "log.h"
#include "place.h"
#include "redis.h"
#include "role.h"
#include "rotate.h"
#include "supervisor.h"
#include "tomo_codec.h"
#include "tomo_version.h"
#include "vault.h"

#define MAIN_EXIT_USAGE 64


typedef struct {
    const char  *config;
    const char  *role;
    bool         check;
    bool         print;
    bool         doctor;
    bool         json;
    bool         release;
    bool         finish;
    const char  *rotate;
} main_options_t;


static void
main_usage(FILE *out)
{
    fputs("usage: tomo-worker --config FILE [--role NAME] [--check]\n"
          "                   [--print-config] [--doctor [--json]]\n"
          "                   [--release] [--rotate WHAT [--finish]]\n"
          "                   [--version] [--help]\n\n"
          "  --config FILE    the INI file (default /etc/tomo/worker.ini)\n"
          "  --role NAME      run ingest, dispatch or api alone, unsupervised\n"
          "  --check          read configuration and keys, say what is wrong\n"
          "  --print-config   the effective settings, secrets masked\n"
          "  --doctor         look at Redis and this machine, say what is\n"
          "                   wrong and what to do; ends with 0, 1 (warnings)\n"
          "                   or 2\n"
          "  --release        sending that waits after a restore goes on\n"
          "  --rotate WHAT    a new edge-key, worker-key or api-token beside\n"
          "                   the old one; with --finish the old one goes\n",
          out);
}


static void
main_version(void)
{
    printf("tomo-worker %s\nhiredis %d.%d.%d\n%s\nlibmicrohttpd %s\n",
           TOMO_VERSION, HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH,
           curl_version(), MHD_get_version());
}


static bool
main_flag(main_options_t *o, int c)
{
    switch (c) {

    case 't':
        o->check = true;
        return true;

    case 'p':
        o->print = true;
        return true;

    case 'd':
        o->doctor = true;
        return true;

    case 'j':
        o->json = true;
        return true;

    case 'l':
        o->release = true;
        return true;

    case 'f':
        o->finish = true;
        return true;

    default:
        return false;
    }
}


/* 0: go on; -1: done; else the exit code */

static int
main_options(int argc, char **argv, main_options_t *o)
{
    static const struct option  options[] = {
        { "config", required_argument, NULL, 'c' },
        { "role", required_argument, NULL, 'r' },
        { "check", no_argument, NULL, 't' },
        { "print-config", no_argument, NULL, 'p' },
        { "doctor", no_argument, NULL, 'd' },
        { "json", no_argument, NULL, 'j' },
        { "release", no_argument, NULL, 'l' },
        { "rotate", required_argument, NULL, 'o' },
        { "finish", no_argument, NULL, 'f' },
        { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    int  c;

    while ((c = getopt_long(argc, argv, "c:t", options, NULL)) != -1) {
        switch (c) {

        case 'c':
            o->config = optarg;
            break;

        case 'r':
            o->role = optarg;
            break;

        case 'o':
            o->rotate = optarg;
            break;

        case 'v':
            main_version();
            return -1;

        case 'h':
            main_usage(stdout);
            return -1;

        default:
            if (!main_flag(o, c)) {
                main_usage(stderr);
                return MAIN_EXIT_USAGE;
            }

            break;
        }
    }

    if (optind < argc) {
        main_usage(stderr);
        return MAIN_EXIT_USAGE;
    }

    return 0;
}


/* What would refuse in each role is said once, before there are any. */

static int
main_ready(const conf_t *conf, bool make)
{
    vault_t  vault;

    if (vault_open(&vault, conf) != TOMO_OK) {
        return ROLE_EXIT_CONF;
    }

    vault_close(&vault);

    return place_check(conf, make) == TOMO_OK ? ROLE_EXIT_OK : ROLE_EXIT_CONF;
}


static int
main_check(const conf_t *conf)
{
    int  code;

    log_init("check", conf->log_json);
    code = main_ready(conf, false);

    if (code == ROLE_EXIT_OK) {
        fprintf(stderr, "%s: configuration and keys are good\n", conf->file);
    }

    return code;
}


static int
main_supervise(const conf_t *conf)
{
    int  code;

    log_init("supervisor", conf->log_json);
    code = main_ready(conf, true);

    /* the same file, even after an upgrade has renamed a new one in */
    return code != ROLE_EXIT_OK ? code
                                : supervisor_run(conf, "/proc/self/exe");
}


static int
main_role(const conf_t *conf, const char *role)
{
    int          fd = -1;
    uint64_t     n;
    const char  *text = getenv("TOMO_REPORT_FD");

    if (text != NULL && tomo_u64_get(tomo_str_c(text), 1024, &n) == TOMO_OK) {
        fd = (int) n;
    }

    unsetenv("TOMO_REPORT_FD");

    return role_run(role, conf, fd);
}


int
main(int argc, char **argv)
{
    int              code;
    conf_t          *conf;
    main_options_t   o = { .config = "/etc/tomo/worker.ini" };

    code = main_options(argc, argv, &o);

    if (code != 0) {
        return code == -1 ? 0 : code;
    }

    conf = conf_load(o.config, stderr);

    if (conf == NULL) {
        return ROLE_EXIT_CONF;
    }

    if (o.print) {
        conf_print(conf, stdout);
        code = 0;

    } else if (o.doctor) {
        log_init("doctor", conf->log_json);
        code = doctor_run(conf, o.json, stdout);

    } else if (o.rotate != NULL) {
        log_init("rotate", conf->log_json);
        code = rotate_run(conf, o.rotate, o.finish);

    } else if (o.release) {
        code = hold_release(conf);

    } else if (o.check) {
        code = main_check(conf);

    } else if (o.role != NULL) {
        code = main_role(conf, o.role);

    } else {
        code = main_supervise(conf);
    }

    conf_free(conf);

    return code;
}
