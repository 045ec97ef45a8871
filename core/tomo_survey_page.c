/*
 * tomo_survey_page.c: the pages around a form.  Fields are in
 * tomo_survey_field.c.
 *
 * All that comes from a definition or a post goes through tomo_html_put;
 * literals are written as they are.
 */

#include "tomo_survey_field.h"
#include "tomo_codec.h"

#include <string.h>


/* drawn on 48 by 48: done, and not this way */
#define PAGE_CIRCLE                                                           \
    "<svg viewBox=\"0 0 48 48\" aria-hidden=\"true\">"                         \
    "<circle cx=\"24\" cy=\"24\" r=\"22\"/><path d=\""

static const char  page_done[] = PAGE_CIRCLE "M14 25l7 7 14-15\"/></svg>\n";
static const char  page_stop[] = PAGE_CIRCLE "M24 13v14M24 34v.1\"/></svg>\n";


/* mark: a drawing above the title, or "" */
static void
page_begin(tomo_buf_t *b, tomo_str_t title, const char *before,
    const char *mark)
{
    tomo_buf_c(b, "<!DOCTYPE html>\n"
                  "<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" "
                  "content=\"width=device-width,initial-scale=1\">\n"
                  "<meta name=\"robots\" content=\"noindex,nofollow\">\n"
                  "<meta name=\"format-detection\" "
                  "content=\"telephone=no\">\n<title>");
    tomo_buf_c(b, before);
    tomo_html_put(b, title);
    tomo_buf_c(b, "</title>\n<style>");
    tomo_buf_c(b, tomo_survey_style);
    tomo_buf_c(b, "</style>\n</head>\n<body>\n<main>\n<header>\n");
    tomo_buf_c(b, mark);
    tomo_buf_c(b, "<h1>");
    tomo_html_put(b, title);
    tomo_buf_c(b, "</h1>\n");
}


static void
page_end(tomo_buf_t *b)
{
    tomo_buf_c(b, "</main>\n</body>\n</html>\n");
}


/* a page that says one thing */
static void
page_note(tomo_buf_t *b, const char *title, const char *text)
{
    page_begin(b, tomo_str_c(title), "", page_stop);
    tomo_buf_c(b, "<p>");
    tomo_buf_c(b, text);
    tomo_buf_c(b, "</p>\n</header>\n");
    page_end(b);
}


static void
page_changed(tomo_buf_t *b)
{
    tomo_buf_c(b, "<div class=\"s n\" role=\"status\">\n"
                  "<h2>アンケートの内容が新しくなりました</h2>\n"
                  "<p>まだ送信されていません。お手数ですが、内容をご確認のうえ、"
                  "もう一度送信してください。</p>\n</div>\n");
}


/* what is wrong, above the form, each line a link to its field */
static void
page_summary(tomo_buf_t *b, const tomo_survey_t *s,
    const tomo_answers_t *answers)
{
    size_t       i;
    const char  *error;

    tomo_buf_c(b, "<div class=\"s\" role=\"alert\" tabindex=\"-1\" "
                  "autofocus aria-labelledby=\"errors\">\n"
                  "<h2 id=\"errors\">まだ送信されていません。");
    tomo_buf_u64(b, answers->errors);
    tomo_buf_c(b, "か所をご確認ください</h2>\n<ul>\n");

    for (i = 0; i < answers->n; i++) {
        error = answers->given[i].error;

        if (error == NULL) {
            continue;
        }

        tomo_buf_c(b, "<li><a href=\"#");
        tomo_survey_field_anchor(b, s, i);
        tomo_buf_c(b, "\">");
        tomo_html_put(b, s->questions[i].label);
        tomo_buf_c(b, "：");
        tomo_html_put(b, tomo_str_c(error));
        tomo_buf_c(b, "</a></li>\n");
    }

    tomo_buf_c(b, "</ul>\n</div>\n");
}


/* how much it is, so that nobody has to scroll to find out */
static void
page_count(tomo_buf_t *b, const tomo_survey_t *s)
{
    size_t  i, n = 0, required = 0;

    for (i = 0; i < s->n_questions; i++) {

        if (s->questions[i].kind != TOMO_QUESTION_HEADING) {
            n++;
            required += s->questions[i].required ? 1 : 0;
        }
    }

    tomo_buf_c(b, "<p class=\"t\">全");
    tomo_buf_u64(b, n);
    tomo_buf_c(b, "問");

    if (required > 0) {
        tomo_buf_c(b, "（必須 ");
        tomo_buf_u64(b, required);
        tomo_buf_c(b, "問）");
    }

    tomo_buf_c(b, "</p>\n");
}


static void
page_hidden(tomo_buf_t *b, const tomo_survey_t *s, tomo_str_t nonce)
{
    tomo_buf_c(b, "<input type=\"hidden\" name=\"nonce\" value=\"");
    tomo_html_put(b, nonce);
    tomo_buf_c(b, "\">\n<input type=\"hidden\" name=\"rev\" value=\"");
    tomo_buf_u64(b, s->rev);
    tomo_buf_c(b, "\">\n"
                  "<div class=\"x\" aria-hidden=\"true\">"
                  "<label for=\"hp\">何も入力しないでください</label>"
                  "<input id=\"hp\" name=\"hp\" type=\"text\" "
                  "tabindex=\"-1\" autocomplete=\"off\"></div>\n");
}


void
tomo_survey_page(tomo_buf_t *b, const tomo_survey_t *s,
    const tomo_answers_t *answers, tomo_str_t nonce, tomo_str_t action,
    int this_year)
{
    size_t                i;
    bool                  changed, wrong;
    tomo_str_t            title;
    tomo_survey_field_t   f;

    changed = answers != NULL && answers->rev != s->rev;
    wrong = answers != NULL && !changed && answers->errors > 0;
    title = s->title.len > 0 ? s->title : tomo_str("アンケート");

    page_begin(b, title, wrong ? "エラー：" : "", "");

    if (s->intro.len > 0) {
        tomo_buf_c(b, "<p class=\"pre\">");
        tomo_survey_text_put(b, s->intro);
        tomo_buf_c(b, "</p>\n");
    }

    page_count(b, s);
    tomo_buf_c(b, "</header>\n");

    if (changed) {
        page_changed(b);
    }

    if (wrong) {
        page_summary(b, s, answers);
    }

    tomo_buf_c(b, "<form method=\"post\" action=\"");
    tomo_html_put(b, action);
    tomo_buf_c(b, "\" accept-charset=\"utf-8\" novalidate>\n");

    for (i = 0; i < s->n_questions; i++) {
        memset(&f, 0, sizeof(f));

        f.question = &s->questions[i];
        f.given = answers != NULL && i < answers->n ? &answers->given[i]
                                                    : NULL;
        f.error = wrong && f.given != NULL ? f.given->error : NULL;
        f.index = i;
        f.this_year = this_year;

        tomo_survey_field_put(b, &f);
    }

    page_hidden(b, s, nonce);

    tomo_buf_c(b, "<button type=\"submit\">");
    tomo_html_put(b, s->submit.len > 0 ? s->submit : tomo_str("送信する"));
    tomo_buf_c(b, "</button>\n</form>\n");

    page_end(b);
}


void
tomo_survey_thanks(tomo_buf_t *b, const tomo_survey_t *s)
{
    page_begin(b, tomo_str("ご回答ありがとうございました"), "", page_done);
    tomo_buf_c(b, "<p class=\"pre\">");
    tomo_survey_text_put(b, s->thanks.len > 0
                            ? s->thanks : tomo_str("ご回答を受け付けました。"));
    tomo_buf_c(b, "</p>\n<p class=\"t\">この画面を閉じて、トークにお戻りください。"
                  "</p>\n</header>\n");
    page_end(b);
}


void
tomo_survey_gone(tomo_buf_t *b)
{
    page_note(b, "ページを開けませんでした",
              "申し訳ありません。このページは公開が終わったか、アドレスの一部が"
              "欠けています。トークに戻り、もう一度リンクをタップしてください。");
}


void
tomo_survey_link_gone(tomo_buf_t *b)
{
    page_note(b, "リンクを開けませんでした",
              "申し訳ありません。このリンクは公開が終わったか、アドレスの一部が"
              "欠けています。トークに戻り、もう一度リンクをタップしてください。");
}


void
tomo_survey_link_busy(tomo_buf_t *b)
{
    page_note(b, "ただいま混み合っています",
              "申し訳ありません。少し待ってからトークに戻り、もう一度リンクを"
              "タップしてください。");
}


void
tomo_survey_busy(tomo_buf_t *b)
{
    page_note(b, "ただいま混み合っています",
              "まだ送信されていません。少し待ってから前の画面に戻り、"
              "もう一度お試しください。");
}


void
tomo_survey_refused(tomo_buf_t *b)
{
    page_note(b, "送信できませんでした",
              "お手数ですが、届いたメッセージからアンケートを開き直して、"
              "もう一度お試しください。");
}
