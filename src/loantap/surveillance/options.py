"""What a person may set about early warning; validated, then frozen."""

from loantap.portfolio.options import DatedOptions
from loantap.surveillance.hazard.options import HazardOptions
from loantap.surveillance.panel.options import PanelOptions
from loantap.surveillance.watchlist.options import WatchlistOptions


class EarlyWarningOptions(DatedOptions):
    """Early warning: each part has options of its own.

    Attributes:
        panel: what is known of a loan in a month.
        hazard: the model of default and payment in full.
        watchlist: which loans are listed, and why.
    """

    panel: PanelOptions
    hazard: HazardOptions
    watchlist: WatchlistOptions
