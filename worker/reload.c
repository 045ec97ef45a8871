#include "reload.h"

#include "conf.h"
#include "place.h"
#include "vault.h"


bool
reload_good(const char *file)
{
    bool     good;
    conf_t  *conf;
    vault_t  vault;

    conf = conf_load(file, stderr);

    if (conf == NULL) {
        return false;
    }

    good = vault_open(&vault, conf) == TOMO_OK;

    if (good) {
        vault_close(&vault);
        good = place_check(conf, true) == TOMO_OK;
    }

    conf_free(conf);

    return good;
}
