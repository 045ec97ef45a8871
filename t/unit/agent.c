/* tomo_agent: B35: who gets no tag: previews, HEAD, prefetch (LINE.md 25). */

#include "unit.h"
#include "tomo_agent.h"


#define IPHONE  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) " \
                "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari"

static const struct {
    bool          head;
    const char   *ua;
    const char   *purpose;
    tomo_visit_e  visit;
}  cases[] = {
    /* people */
    { false, IPHONE " Line/15.12.1", "", TOMO_VISIT_HUMAN },
    { false, IPHONE " Line/15.12.1 LIFF", "", TOMO_VISIT_HUMAN },
    { false, "Mozilla/5.0 (Linux; Android 15; SO-51E; wv) Mobile "
             "Safari/537.36 Line/26.2.0/IAB", "", TOMO_VISIT_HUMAN },
    { false, IPHONE, "", TOMO_VISIT_HUMAN },
    { false, "Mozilla/5.0 (Linux; Android 12; CUBOT X30)", "",
      TOMO_VISIT_HUMAN },
    { false, "Mozilla/5.0 (Linux; Android 12; CUBOT_NOTE 20)", "",
      TOMO_VISIT_HUMAN },
    { false, "Mozilla/5.0 robotics bottle", "", TOMO_VISIT_HUMAN },
    { false, "curl/7.88.1", "", TOMO_VISIT_HUMAN },
    { false, "bo", "", TOMO_VISIT_HUMAN },
    { false, IPHONE, "navigate", TOMO_VISIT_HUMAN },
    /* machines that look at links */
    { false, "facebookexternalhit/1.1;line-poker/1.0", "",
      TOMO_VISIT_PREVIEW },
    { false, "FacebookExternalHit/1.1", "", TOMO_VISIT_PREVIEW },
    { false, "LINE-POKER", "", TOMO_VISIT_PREVIEW },
    { false, "Mozilla/5.0 (compatible;Linespider/1.1)", "",
      TOMO_VISIT_PREVIEW },
    { false, "Line-Crawler", "", TOMO_VISIT_PREVIEW },
    { false, "Mozilla/5.0 (compatible; Googlebot/2.1)", "",
      TOMO_VISIT_PREVIEW },
    { false, "Slackbot-LinkExpanding 1.0", "", TOMO_VISIT_PREVIEW },
    { false, "Twitterbot", "", TOMO_VISIT_PREVIEW },
    { false, "bot", "", TOMO_VISIT_PREVIEW },
    { false, "Cubot and Googlebot", "", TOMO_VISIT_PREVIEW },
    { false, "SkypeUriPreview Preview/0.5", "", TOMO_VISIT_PREVIEW },
    { false, "Baiduspider", "", TOMO_VISIT_PREVIEW },
    { false, "", "", TOMO_VISIT_PREVIEW },
    /* fetched before anybody tapped */
    { false, IPHONE, "prefetch", TOMO_VISIT_PREFETCH },
    { false, IPHONE, "Prefetch;prerender", TOMO_VISIT_PREFETCH },
    { false, IPHONE, "prefetch;anonymous-client-ip",
      TOMO_VISIT_PREFETCH },
    { false, IPHONE, "preview", TOMO_VISIT_PREFETCH },
    { false, "", "prefetch", TOMO_VISIT_PREFETCH },
    { true, IPHONE, "", TOMO_VISIT_HEAD },
    { true, "", "prefetch", TOMO_VISIT_HEAD },
};


static void
B35_visits(void **state)
{
    size_t      i;
    tomo_str_t  ua, purpose;

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        ua = unit_heap(cases[i].ua, strlen(cases[i].ua));
        purpose = unit_heap(cases[i].purpose, strlen(cases[i].purpose));

        if (tomo_agent_visit(cases[i].head, ua, purpose) != cases[i].visit) {
            fail_msg("%s | %s", cases[i].ua, cases[i].purpose);
        }

        unit_free(ua);
        unit_free(purpose);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B35_visits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
