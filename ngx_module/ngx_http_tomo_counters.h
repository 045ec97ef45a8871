/*
 * ngx_http_tomo_counters: every counter of the edge, its name in the JSON
 * status (prefix tomo_ and suffix _total in Prometheus) and what it says.
 *
 * They live in shared memory and count for all workers since the zone was
 * made.  One atomic addition each, so that a killed worker leaves none half
 * written.  The balance received = shipped + waiting + quarantined is not
 * counted here but read from the writer slots (ngx_http_tomo_zone.h).
 */

#ifndef NGX_HTTP_TOMO_COUNTERS_H
#define NGX_HTTP_TOMO_COUNTERS_H

/* X(name, help) */
#define NGX_HTTP_TOMO_COUNTERS(X)                                             \
    X(webhook_accepted, "Webhooks answered 200: verified and on disk")        \
    X(webhook_verified, "Webhooks signed with an account's first secret")     \
    X(webhook_verified_next,                                                  \
      "Webhooks signed with an account's second secret")                      \
    X(webhook_account_unknown, "Webhooks for an account the edge lacks")      \
    X(webhook_signature_missing, "Webhooks without x-line-signature")         \
    X(webhook_signature_malformed,                                            \
      "Webhooks with a signature that is not canonical base64, or two")       \
    X(webhook_signature_wrong, "Webhooks signed with another secret")         \
    X(webhook_method, "Requests to a webhook with another method than POST")  \
    X(webhook_too_large, "Webhooks over tomo_max_body")                       \
    X(webhook_encoded, "Webhooks with a Content-Encoding")                    \
    X(webhook_unavailable, "Webhooks answered 503: no journal or no table")   \
    X(webhook_late, "Webhooks answered 503 because the sync took too long")   \
    X(webhook_abandoned, "Webhooks whose client left before the answer")      \
    X(redirect_served, "Redirects answered 302")                              \
    X(redirect_unknown, "Redirects answered with the polite page")            \
    X(redirect_unavailable, "Redirects answered 503")                         \
    X(click_human, "Clicks recorded as a person's tap")                       \
    X(click_preview, "Clicks recorded as link previews or crawlers")          \
    X(click_head, "Clicks recorded as HEAD requests")                         \
    X(click_prefetch, "Clicks recorded as prefetches")                        \
    X(click_flood, "Clicks beyond 120 a minute from one friend's link")       \
    X(click_dropped, "Clicks not recorded: journal full or failing")          \
    X(token_malformed, "Tokens that are no tokens")                           \
    X(token_forged, "Tokens whose MAC or key id is wrong")                    \
    X(survey_page, "Survey pages shown")                                      \
    X(survey_answered, "Survey posts accepted: validated and on disk")        \
    X(survey_invalid, "Survey posts shown again with errors")                 \
    X(survey_refused, "Survey posts that were no form, or over the limit")    \
    X(survey_trapped, "Survey posts that filled the trap field")              \
    X(survey_quick, "Survey posts within 200 ms of their page")               \
    X(survey_flood, "Survey posts beyond 120 a minute from one link")         \
    X(survey_unknown, "Survey requests answered with the polite page")        \
    X(survey_unavailable, "Survey requests answered 503")                     \
    X(journal_appended, "Records written to the journal")                     \
    X(journal_groups, "Group commits (one write and one fdatasync each)")     \
    X(journal_late, "Waiters that were given up before their sync ended")     \
    X(journal_refused, "Records refused: full, failing or too slow")          \
    X(journal_errors, "Writes or syncs of the journal that failed")           \
    X(journal_segments, "Segments taken into use")                            \
    X(journal_recycled, "Segments set aside for reuse")                       \
    X(redis_connected, "Connections to Redis made")                           \
    X(redis_lost, "Connections to Redis lost or refused")                     \
    X(ship_commits, "Transactions that moved records to Redis")               \
    X(ship_errors, "Transactions Redis refused")                              \
    X(ship_holds, "Accounts held because Redis refused their keys")           \
    X(ship_quarantined, "Records set aside: damaged or refused for good")     \
    X(ship_reshipped, "Records sent again because Redis had lost them")       \
    X(redis_rollbacks, "Times Redis lacked what it had acknowledged")          \
    X(ship_incidents, "Times Redis wanted records that were not kept")        \
    X(redis_surprises, "Answers of Redis that no command of ours can have")   \
    X(ship_adopted, "Journals of dead writers taken over")                    \
    X(feed_applied, "Versions of the edge feed applied")                      \
    X(feed_errors, "Feeds or items of a feed that could not be applied")      \
    X(snapshot_saved, "Snapshots of the table written to disk")               \
    X(lookup_sent, "Lookups in Redis for what the table lacks")               \
    X(lookup_found, "Lookups that found the item")                            \
    X(log_limited, "Log lines left out by the rate limit")

typedef enum {
#define NGX_HTTP_TOMO_COUNTER_ENUM_(name, help)  NGX_HTTP_TOMO_C_##name,
    NGX_HTTP_TOMO_COUNTERS(NGX_HTTP_TOMO_COUNTER_ENUM_)
#undef NGX_HTTP_TOMO_COUNTER_ENUM_
    NGX_HTTP_TOMO_COUNTER_END
} ngx_http_tomo_counter_e;

#endif
