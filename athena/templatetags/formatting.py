"""Template filters for `athena.formatting`. They are builtins (see `TEMPLATES`): a template need not load them."""

from decimal import Decimal

from django import template

from athena.formatting import format_money, format_percent

register = template.Library()


@register.filter
def money(amount: Decimal | float | None) -> str:
    """`{{ lead.booked_value|money }}`: $1,250."""
    return format_money(amount)


@register.filter
def percent(percentage: float | None) -> str:
    """`{{ row.won_rate|percent }}`: 37.5%."""
    return format_percent(percentage)
