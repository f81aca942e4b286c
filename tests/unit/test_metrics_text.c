/* test_metrics_text.c: metrics as Prometheus and OpenMetrics have them. */
#include "engine/metrics_text.h"
#include "epi/base.h"

#include <criterion/criterion.h>

static char *write_all(int open) {
  static const char *const labels[] = {"rule", "a\"b\\c\nd", "n", "2", NULL};
  static const int64_t bounds[] = {1, 1500}, counts[] = {2, 0, 3};
  epi__metrics metrics = {.open = open};

  epi__metrics_family(&metrics, "x_flows", EPI__FAMILY_COUNTER, "Flows.");
  epi__metrics_sample(&metrics, labels, -5);
  epi__metrics_one(&metrics, "x_open", EPI__FAMILY_GAUGE, "Open.", 7);
  epi__metrics_family(&metrics, "x_build", EPI__FAMILY_INFO, "Build.");
  epi__metrics_sample(&metrics, labels + 2, 1);
  epi__metrics_family(&metrics, "x_cpu", EPI__FAMILY_COUNTER, "Time.");
  epi__metrics_micro(&metrics, NULL, 1000002);
  epi__metrics_family(&metrics, "x_s", EPI__FAMILY_HISTOGRAM, "Time.");
  epi__metrics_histogram(&metrics, bounds, counts, 2, 12345);
  return epi__metrics_take(&metrics);
}

#define HISTOGRAM                                                              \
  "# HELP x_s Time.\n# TYPE x_s histogram\nx_s_bucket{le=\"0.001\"} 2\n"       \
  "x_s_bucket{le=\"1.500\"} 2\nx_s_bucket{le=\"+Inf\"} 5\nx_s_sum 12.345\n"    \
  "x_s_count 5\n"

Test(metrics_text, is_as_prometheus_has_it) {
  char *text = write_all(0);

  cr_assert_str_eq(text,
                   "# HELP x_flows_total Flows.\n# TYPE x_flows_total counter\n"
                   "x_flows_total{rule=\"a\\\"b\\\\c\\nd\",n=\"2\"} -5\n"
                   "# HELP x_open Open.\n# TYPE x_open gauge\nx_open 7\n"
                   "# HELP x_build_info Build.\n# TYPE x_build_info gauge\n"
                   "x_build_info{n=\"2\"} 1\n"
                   "# HELP x_cpu_total Time.\n# TYPE x_cpu_total counter\n"
                   "x_cpu_total 1.000002\n" HISTOGRAM);
  epi_free(text);
}

Test(metrics_text, is_as_openmetrics_has_it) {
  char *text = write_all(1);

  cr_assert_str_eq(text, "# HELP x_flows Flows.\n# TYPE x_flows counter\n"
                         "x_flows_total{rule=\"a\\\"b\\\\c\\nd\",n=\"2\"} -5\n"
                         "# HELP x_open Open.\n# TYPE x_open gauge\nx_open 7\n"
                         "# HELP x_build Build.\n# TYPE x_build info\n"
                         "x_build_info{n=\"2\"} 1\n"
                         "# HELP x_cpu Time.\n# TYPE x_cpu counter\n"
                         "x_cpu_total 1.000002\n" HISTOGRAM "# EOF\n");
  epi_free(text);
}
