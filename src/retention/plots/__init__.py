"""Pictures of results on matplotlib axes: bars, heat tables, stages over time, and flows.

Axes in, axes out: nothing is shown, saved or styled outside the axes. Figures come from the
result; nothing is counted or decided here. A page that stands by itself takes ``charts``.
"""

try:
    import matplotlib as mpl  # noqa: F401  asked first, so that the error names the extra
except ImportError as cause:
    from retention.mechanisms.errors import MissingExtraError

    raise MissingExtraError("retention.plots", "matplotlib", "plots") from cause

from retention.plots._counts import migration, rfm, segments
from retention.plots._flow import stage_flow
from retention.plots._pen import CHINESE_FONTS

__all__ = ["CHINESE_FONTS", "migration", "rfm", "segments", "stage_flow"]
