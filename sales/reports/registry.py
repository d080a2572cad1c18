"""Every report, in the order of the tabs. `docs/development/adding-a-report.md` says how to add one."""

from typing import Any

from sales.reports.follow_up_performance import FOLLOW_UP_PERFORMANCE
from sales.reports.losses import LOSSES
from sales.reports.report import Report
from sales.reports.rule_effectiveness import RULE_EFFECTIVENESS
from sales.reports.source_roi import SOURCE_ROI
from sales.reports.speed import SPEED

REPORTS: dict[str, Report[Any]] = {
    report.slug: report for report in (FOLLOW_UP_PERFORMANCE, SOURCE_ROI, SPEED, LOSSES, RULE_EFFECTIVENESS)
}
