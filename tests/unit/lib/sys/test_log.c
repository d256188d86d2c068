/* SPDX-License-Identifier: Apache-2.0 */
/* Log levels, words, lines and rate limits. */
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "tests/unit/unit.h"

LOG_MODULE(unit_test);

static char path[64];

static void open_log(void)
{
    snprintf(path, sizeof path, "/tmp/tsuji-unit-log-%ld", (long) getpid());
    unlink(path);
    ck_assert_ptr_null(log_set_from_word("console:off"));
    ck_assert_ptr_null(log_open_file(path));
}

static void close_log(void)
{
    log_close_file();
    unlink(path);
}

/* What is in the file; the caller frees. */
static char *contents(void)
{
    struct text t = TEXT_INIT;
    char chunk[4096];
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0; ) {
        text_put_n(&t, chunk, (size_t) n);
    }
    close(fd);
    return text_steal(&t);
}

static bool file_matches(const char *pattern)
{
    char *s = contents();
    regex_t re;
    ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE), 0);
    bool matches = !regexec(&re, s, 0, NULL, 0);
    regfree(&re);
    free(s);
    return matches;
}

static int count_lines(const char *with)
{
    char *s = contents();
    int n = 0;
    for (char *p = s; (p = strstr(p, with)); p++) {
        n++;
    }
    free(s);
    return n;
}

START_TEST(lines_have_the_known_form)
{
    open_log();
    LOG_INFO("bridge \"%s\": hello", "br0");
    ck_assert(file_matches("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z\\|[0-9]{5}\\|unit_test\\|"
                           "INFO\\|bridge \"br0\": hello$"));
    LOG_DBG("not shown");
    ck_assert_int_eq(count_lines("not shown"), 0);
    LOG_INFO("a name with\n2026-01-01T00:00:00.000Z|00001|fake|ERR|a line feed\x01");
    ck_assert(file_matches("^[0-9TZ.:-]+\\|[0-9]+\\|unit_test\\|INFO\\|2026.*a line feed\\?$"));
    close_log();
}
END_TEST

static char *level_line(const char *module)
{
    struct text t = TEXT_INIT;
    log_list(&t);
    char *line = strstr(text_str(&t), module);
    ck_assert_ptr_nonnull(line);
    char *copy = xstrndup(line, strcspn(line, "\n"));
    text_fini(&t);
    return copy;
}

static void check_levels(const char *console, const char *syslog, const char *file)
{
    char *line = level_line("unit_test"), *expected;
    expected = xasprintf("%-16s  %4s       %4s       %4s", "unit_test", console, syslog, file);
    ck_assert_str_eq(line, expected);
    free(line);
    free(expected);
}

START_TEST(words_set_levels)
{
    static const struct { const char *word, *console, *syslog, *file; } rows[] = {
        { "unit_test:console:err", "ERR", "INFO", "INFO" },
        { "unit_test:warn", "WARN", "WARN", "WARN" },
        { "file:unit_test:dbg", "WARN", "WARN", "DBG" },
        { "syslog,emer", "WARN", "EMER", "DBG" },
        { "ANY:console:off", "OFF", "EMER", "DBG" },
        { "any:any:info", "INFO", "INFO", "INFO" },
        { "vlog:off", "INFO", "INFO", "INFO" },
        { "UNIT_TEST:FILE:OFF", "INFO", "INFO", "OFF" },
        { "unit_test", "DBG", "DBG", "DBG" },
        { "err", "ERR", "ERR", "ERR" },
        { "", "DBG", "DBG", "DBG" },
    };
    check_levels("INFO", "INFO", "INFO");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error *e = log_set_from_word(rows[i].word);
        ck_assert_msg(!e, "%s", error_text(e));
        check_levels(rows[i].console, rows[i].syslog, rows[i].file);
    }
}
END_TEST

START_TEST(bad_words_are_refused)
{
    static const struct { const char *word, *text; } rows[] = {
        { "nonsense", "no destination, level, or module \"nonsense\"" },
        { "unit_tset:dbg", "did you mean \"unit_test\"" },
        { "unit_test:vlog:dbg", "two modules" },
        { "unit_test:dbg:info", "two levels" },
        { "console:file:info", "two destinations" },
        { "PATTERN:paper:%m", "\"paper\" is no log destination" },
        { "PATTERN:file", "PATTERN:DESTINATION:PATTERN" },
        { "FACILITY:nowhere", "no facility \"nowhere\"" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error *e = log_set_from_word(rows[i].word);
        ck_assert_ptr_nonnull(e);
        ck_assert_msg(strstr(error_text(e), rows[i].text) != NULL, "%s", error_text(e));
        error_free(e);
        check_levels("INFO", "INFO", "INFO");
    }
    ck_assert_ptr_null(log_set_from_word("FACILITY:local3"));
}
END_TEST

START_TEST(patterns)
{
    open_log();
    ck_assert_ptr_null(log_set_from_word("PATTERN:file:<%A %c/%-6p|%6p|%06N|%%|%m%n>"));
    LOG_WARN("text");
    ck_assert(file_matches("^<tsuji unit_test/WARN  \\|  WARN\\|[0-9]{6}\\|%\\|text$"));
    struct text t = TEXT_INIT;
    log_list_patterns(&t);
    ck_assert_ptr_nonnull(strstr(text_str(&t), "FILE     <%A %c/%-6p"));
    text_fini(&t);
    close_log();
}
END_TEST

START_TEST(repeated_lines_are_limited)
{
    open_log();
    clock_stop();
    for (int i = 0; i < 100; i++) {
        if (i == 90) {
            clock_warp(500 * NSEC_PER_MSEC);
        }
        LOG_WARN("again and again %d.", i);
    }
    ck_assert_int_eq(count_lines("again and again"), 22);
    ck_assert_int_eq(count_lines("again and again 19."), 1);
    ck_assert_int_eq(count_lines("|WARN|70 lines like the next one were left out\n"), 1);
    ck_assert_int_eq(count_lines("again and again 91."), 1);
    LOG_WARN("another site");
    ck_assert_int_eq(count_lines("another site"), 1);
    ck_assert_uint_eq(log_n_warnings(), 101);

    ck_assert_ptr_null(log_set_rate_limits("unit_test", false));
    for (int i = 0; i < 50; i++) {
        LOG_INFO("without limit");
    }
    ck_assert_int_eq(count_lines("without limit"), 50);
    struct error *e = log_set_rate_limits("nonsense", false);
    ck_assert_ptr_nonnull(e);
    error_free(e);
    close_log();
}
END_TEST

START_TEST(reopens_after_rotation)
{
    struct error *e = log_reopen();
    ck_assert_ptr_nonnull(e);
    error_free(e);
    open_log();
    char moved[80];
    snprintf(moved, sizeof moved, "%s.1", path);
    ck_assert_int_eq(rename(path, moved), 0);
    LOG_INFO("to the moved one");
    ck_assert_ptr_null(log_reopen());
    LOG_INFO("to the new one");
    ck_assert_int_eq(count_lines("to the new one"), 1);
    ck_assert_int_eq(count_lines("to the moved one"), 0);
    unlink(moved);
    close_log();
    e = log_open_file("/nonexistent/x.log");
    ck_assert_ptr_nonnull(strstr(error_text(e), "/nonexistent/x.log"));
    error_free(e);
}
END_TEST

TCase *log_tcase(void);
TCase *log_tcase(void)
{
    TCase *tc = tcase_create("log");
    tcase_add_test(tc, lines_have_the_known_form);
    tcase_add_test(tc, words_set_levels);
    tcase_add_test(tc, bad_words_are_refused);
    tcase_add_test(tc, patterns);
    tcase_add_test(tc, repeated_lines_are_limited);
    tcase_add_test(tc, reopens_after_rotation);
    return tc;
}
