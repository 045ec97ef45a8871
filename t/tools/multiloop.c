/*
 * multiloop: what dispatch is measured against: libcurl's multi interface and
 * nothing around it.  Sends COUNT pushes to LINE's place on SOCKET, at most
 * FLYING at a time over HTTP/2, with the headers and a body as dispatch has
 * them, and prints the seconds and the CPU seconds it took.
 *
 *   multiloop SOCKET CA_FILE COUNT FLYING
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define LOOP_FLYING_MAX  400
#define LOOP_STREAMS     100L

static const char  loop_body[] = "{\"to\":\"U0123456789abcdef0123456789abcdef\""
    ",\"messages\":[{\"type\":\"text\",\"text\":\"bench\"}]}";


static size_t
loop_drop(char *data, size_t size, size_t n, void *ctx)
{
    (void) data;
    (void) ctx;

    return size * n;
}


static CURL *
loop_handle(const char *socket, const char *ca, struct curl_slist *headers)
{
    CURL  *e = curl_easy_init();

    if (e == NULL) {
        return NULL;
    }

    curl_easy_setopt(e, CURLOPT_URL,
                     "https://api.line.me/v2/bot/message/push");
    curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(e, CURLOPT_CAINFO, ca);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, loop_body);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, loop_drop);

    return e;
}


/* what ended is sent again until all are out; how many were not 200 */

static long
loop_again(CURLM *multi, long *left)
{
    int       n;
    long      status, bad = 0;
    CURLMsg  *msg;

    while ((msg = curl_multi_info_read(multi, &n)) != NULL) {
        CURL  *e = msg->easy_handle;

        status = 0;
        curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);

        if (status != 200 && bad++ == 0) {
            fprintf(stderr, "%ld: %s\n", status,
                    curl_easy_strerror(msg->data.result));
        }

        curl_multi_remove_handle(multi, e);

        if (*left > 0) {
            --*left;
            curl_multi_add_handle(multi, e);
        }
    }

    return bad;
}


static long
loop_run(CURLM *multi, CURL **handles, long count, long flying)
{
    int   running = 1;
    long  left = count, bad = 0;

    for (long i = 0; i < flying && left > 0; i++, left--) {
        curl_multi_add_handle(multi, handles[i]);
    }

    while (running > 0 || left > 0) {
        curl_multi_perform(multi, &running);
        bad += loop_again(multi, &left);

        if (running > 0) {
            curl_multi_poll(multi, NULL, 0, 100, NULL);
        }

        curl_multi_perform(multi, &running);
        bad += loop_again(multi, &left);
    }

    return bad;
}


static double
loop_seconds(struct timeval t)
{
    return (double) t.tv_sec + (double) t.tv_usec / 1e6;
}


int
main(int argc, char **argv)
{
    long                bad, count, flying;
    CURL               *handles[LOOP_FLYING_MAX];
    CURLM              *multi;
    struct rusage       cpu;
    struct timespec     from, to;
    struct curl_slist  *headers = NULL;

    count = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
    flying = argc == 5 ? strtol(argv[4], NULL, 10) : 0;

    if (count < 1 || flying < 1 || flying > LOOP_FLYING_MAX) {
        fprintf(stderr, "multiloop SOCKET CA_FILE COUNT FLYING\n");
        return 2;
    }

    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, LOOP_STREAMS);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(headers, "Authorization: Bearer bench");
    headers = curl_slist_append(headers, "X-Line-Retry-Key: "
                                "00000000-0000-4000-a000-000000000000");

    for (long i = 0; i < flying; i++) {
        handles[i] = loop_handle(argv[1], argv[2], headers);

        if (handles[i] == NULL) {
            return 1;
        }
    }

    clock_gettime(CLOCK_MONOTONIC, &from);
    bad = loop_run(multi, handles, count, flying);
    clock_gettime(CLOCK_MONOTONIC, &to);
    getrusage(RUSAGE_SELF, &cpu);
    printf("%.6f %.6f\n", (double) (to.tv_sec - from.tv_sec)
                          + (double) (to.tv_nsec - from.tv_nsec) / 1e9,
           loop_seconds(cpu.ru_utime) + loop_seconds(cpu.ru_stime));

    for (long i = 0; i < flying; i++) {
        curl_easy_cleanup(handles[i]);
    }

    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    curl_global_cleanup();

    if (bad > 0) {
        fprintf(stderr, "%ld answers were not 200\n", bad);
    }

    return bad > 0;
}
