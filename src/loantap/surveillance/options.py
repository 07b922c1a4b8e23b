"""What a person may set about early warning; validated, then frozen."""

from loantap.portfolio.options import DatedOptions
from loantap.surveillance.hazard.options import HazardOptions
from loantap.surveillance.help.options import HelpOptions
from loantap.surveillance.panel.options import PanelOptions
from loantap.surveillance.watchlist.options import WatchlistOptions


class EarlyWarningOptions(DatedOptions):
    """Early warning: each part has options of its own."""

    panel: PanelOptions
    hazard: HazardOptions
    watchlist: WatchlistOptions
    help: HelpOptions
