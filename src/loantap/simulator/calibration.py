"""What the simulated portfolio is calibrated on: published figures and aggregates of a sample.

Published figures of the full table of 396,030 loans, from public notebooks, win. Measured: quantiles, shares and rank
correlations of a sample of 5,239 of its rows. No row of real data is here.
"""

import numpy as np

PUBLISHED_ROWS = 396_030

# Loans per quarter, per ten thousand (measured; up to early 2012 raised by a tenth, to match the
# published number of loans without mortgage accounts).
FIRST_QUARTER = "2007-07"
LOANS_PER_QUARTER = (
  4, 5,
  5, 5, 6, 19,
  10, 15, 24, 27,
  44, 53, 86, 50,
  95, 126, 126, 120,
  145, 230, 314, 350,
  431, 597, 665, 752,
  635, 648, 614, 739,
  633, 637, 607, 495,
  353, 181, 102, 42,
)  # fmt: skip
# Calendar rules of the table (measured).
FIRST_60_MONTH_LOANS = np.datetime64("2010-05", "M")
FIRST_BANKRUPTCIES = np.datetime64("2008-03", "M")  # before: missing, 535 published
LAST_WITHOUT_MORTGAGES = np.datetime64("2012-03", "M")  # this month 4 in 5 are missing
LAST_PART_FUNDED = np.datetime64("2011-12", "M")
FIRST_JOINT = np.datetime64("2015-10", "M")
FORM_TITLES_ONLY = np.datetime64("2014-03", "M")  # later titles come from the form's list

# Loans by sub-grade A1 .. G5, per ten thousand (measured, smoothed).
SUB_GRADE_SHARES = (
  240, 250, 270, 365, 460,
  510, 595, 690, 650, 525,
  595, 565, 530, 500, 450,
  400, 360, 335, 305, 260,
  195, 170, 155, 135, 115,
  95, 72, 60, 45, 32,
  23, 17, 12, 9, 7,
)  # fmt: skip
# Mean rate of each sub-grade, percent per year (measured, smoothed).
SUB_GRADE_RATES = (
  5.83, 6.51, 7.29, 7.68, 8.46,
  9.34, 10.32, 11.33, 12.13, 12.67,
  13.25, 13.75, 14.35, 14.99, 15.53,
  16.37, 17.20, 17.70, 18.25, 18.67,
  19.09, 19.82, 20.45, 21.18, 21.97,
  22.65, 23.42, 23.90, 24.50, 24.90,
  25.20, 25.50, 25.90, 26.20, 26.50,
)  # fmt: skip
# How far a grade's rates lay off those means in mid-year, percentage points.
RATE_SHIFT_YEARS = tuple(range(2007, 2017))
RATE_SHIFTS = {
	"A": (0.9, 0.9, 0.8, -0.4, -0.1, 0.3, 0.3, 0.1, -0.45, -0.3),
	"B": (-0.5, -0.2, 0.3, -0.5, -0.2, 0.9, 0.7, 0.0, -1.1, -1.1),
	"C": (-2.5, -2.4, -1.0, -0.9, -0.3, 1.1, 1.2, -0.1, -1.0, -0.7),
	"D": (-4.1, -4.0, -2.6, -2.1, -1.6, 0.9, 1.2, -0.3, -0.8, 0.5),
	"E": (-5.1, -5.0, -3.4, -2.9, -2.1, 0.7, 1.3, 0.1, -0.9, 1.8),
	"F": (-5.3, -5.2, -4.5, -4.6, -3.2, -0.5, 0.3, 0.7, 0.2, 1.4),
	"G": (-5.5, -5.4, -4.8, -4.8, -3.4, -0.6, -0.2, 0.2, 0.8, 2.2),
}
RATE_RANGE = (5.32, 30.99)

SHARE_60_MONTHS = 0.264  # of loans issued since there are such, before the next lines
# From about 22,000 on, a larger amount makes a longer term no likelier (measured).
LARGE_LOAN_SCORE = 0.9
LARGE_LOAN_TERM_SLOPE = 0.5
PART_FUNDED_SHARE = 0.060  # of loans up to 2011, which is 0.5% of all
PART_FUNDED_RANGE = (0.35, 0.99)  # share of the amount that was funded
MAX_LOAN_TO_INCOME = 0.5
LOAN_AMOUNT_RANGE = (500.0, 40_000.0)
# Applicants ask for round amounts: multiples of these, with these shares.
AMOUNT_STEPS = (5_000.0, 4_000.0, 3_000.0, 1_000.0, 500.0, 400.0, 100.0, 25.0)
AMOUNT_STEP_SHARES = (0.15, 0.12, 0.11, 0.18, 0.10, 0.07, 0.10, 0.17)
INCOME_STEPS = (5_000.0, 1_000.0, 100.0, 1.0)
INCOME_STEP_SHARES = (0.34, 0.47, 0.10, 0.09)

# By which a standard normal score becomes a value (measured; the ends as published).
QUANTILE_LEVELS = (
  0.0, 0.001, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975,
  0.99, 0.999, 0.9999, 1.0,
)  # fmt: skip
QUANTILES = {
  "loan_amount": (
    500, 1_000, 1_600, 2_500, 3_500, 5_000, 7_000, 8_900, 10_200, 12_000, 15_000, 17_800,
    21_300, 27_200, 31_800, 35_000, 35_000, 35_100, 40_000, 40_000,
  ),
  "annual_income": (
    2_500, 12_000, 20_000, 24_000, 27_600, 33_000, 42_000, 49_000, 56_000, 64_000, 72_000,
    82_000, 96_000, 121_000, 150_000, 189_000, 250_000, 530_000, 1_050_000, 8_706_582,
  ),
  "dti_pct": (
    0.0, 0.3, 1.6, 2.8, 4.6, 7.0, 10.1, 12.5, 14.6, 16.8, 19.1, 21.6, 24.5, 28.5, 31.7, 34.2,
    36.8, 42.0, 60.0, 190.0,
  ),
  "open_accounts": (
    0.6, 2.0, 3.1, 4.1, 4.9, 5.9, 7.2, 8.3, 9.3, 10.4, 11.6, 13.0, 14.9, 17.9, 20.6, 23.3,
    27.4, 37.0, 50.0, 90.0,
  ),
  "total_accounts": (
    2.0, 3.2, 5.3, 7.2, 9.2, 11.9, 15.4, 18.3, 20.9, 23.5, 26.4, 29.8, 34.3, 41.0, 47.0, 52.6,
    61.0, 79.0, 100.0, 151.0,
  ),
  "revolving_balance": (
    0, 1, 170, 780, 1_840, 3_150, 4_980, 6_800, 8_700, 11_000, 13_800, 17_300, 22_600, 31_800,
    42_300, 55_000, 85_000, 210_000, 480_000, 1_743_266,
  ),
  "revolving_utilisation_pct": (
    0.0, 0.01, 1.4, 5.4, 11.1, 19.5, 31.3, 39.9, 47.8, 54.9, 62.0, 69.5, 77.0, 86.0, 92.2,
    95.4, 98.0, 101.6, 115.0, 150.0,
  ),
  "credit_history_months": (
    36, 39, 49, 62, 76, 94, 122, 140, 155, 173, 192, 217, 248, 301, 352, 397, 447, 580, 640,
    700,
  ),
}  # fmt: skip
HIGHEST_DTI = 9_999.0  # published once: an applicant without income

# Shares of counts from 0 upwards (measured; the tail set by the published mean and maximum).
EMPLOYMENT_YEARS_SHARES = (0.080, 0.068, 0.099, 0.083, 0.058, 0.071, 0.057, 0.053, 0.051, 0.042, 0.338)
MORTGAGE_SHARES = (
  0.392, 0.169, 0.138, 0.1055, 0.0755, 0.0485, 0.0315, 0.0165, 0.0105, 0.0050, 0.0028, 0.0016,
  0.0010, 0.0005, 0.00040, 0.00020, 0.00015, 0.0001, 0.0001, 0.00005, 0.00005, 0.00005, 0.00005,
)  # fmt: skip
PUBLIC_RECORD_SHARES = (
  0.8540, 0.1256, 0.0137, 0.0038, 0.0013, 0.0006, 0.0004, 0.0002, 0.0001, 0.0001, 0.0001,
  0.00005, 0.00003, 0.00002,
)  # fmt: skip
# Bankruptcies given one, two, three and more public records.
BANKRUPTCY_SHARES = ((0.185, 0.815), (0.42, 0.34, 0.24), (0.46, 0.28, 0.10, 0.16))

EMPLOYMENT_MISSING = 18_301 / PUBLISHED_ROWS
PROFESSION_MISSING_WITH_EMPLOYMENT = 0.81  # of those whose employment is missing
PROFESSION_MISSING_ALONE = 0.0217
TITLE_MISSING = 1_755 / PUBLISHED_ROWS
UTILISATION_MISSING = 276 / PUBLISHED_ROWS

HOME_OWNERSHIP_SHARES = {"RENT": 0.4065, "OWN": 0.0940, "MORTGAGE": 0.4995}
# Too few for the sample of 5,239; instead of RENT.
RARE_HOME_OWNERSHIP = {"OTHER": 0.0007, "NONE": 0.0002, "ANY": 0.00002}
VERIFICATIONS = ("Not Verified", "Source Verified", "Verified")
VERIFICATION_SHARES = {
	"A": (0.474, 0.317, 0.209),
	"B": (0.382, 0.307, 0.311),
	"C": (0.282, 0.350, 0.368),
	"D": (0.234, 0.325, 0.441),
	"E": (0.145, 0.365, 0.490),
	"F": (0.093, 0.310, 0.597),
	"G": (0.030, 0.310, 0.660),
}
# Share of each purpose, and by how much its log-odds rise per step of a sub-grade's score.
PURPOSES = {
	"debt_consolidation": (0.588, 0.02),
	"credit_card": (0.214, -0.34),
	"home_improvement": (0.061, -0.12),
	"other": (0.0535, 0.35),
	"major_purchase": (0.0220, 0.0),
	"small_business": (0.0140, 0.45),
	"car": (0.0115, -0.30),
	"medical": (0.0102, 0.10),
	"moving": (0.0065, 0.50),
	"vacation": (0.0065, 0.15),
	"house": (0.0058, 0.45),
	"wedding": (0.0046, 0.10),
	"renewable_energy": (0.0008, 0.20),
	"educational": (0.0006, 0.0),
}
WHOLE_LISTING_SHARES = {
  2007: 0.0, 2008: 0.0, 2009: 0.0, 2010: 0.0, 2011: 0.0, 2012: 0.061, 2013: 0.256, 2014: 0.512,
  2015: 0.598, 2016: 0.791,
}  # fmt: skip
APPLICATION_SHARES = {"INDIVIDUAL": 0.9855, "JOINT": 0.0085, "DIRECT_PAY": 0.0060}

MILITARY_SHARE = 0.105
MILITARY_FORM_SHARES = {"unit": 0.36, "psc": 0.32, "ship": 0.32}
FLAT_SHARES = {" Apt. ": 0.242, " Suite ": 0.259, "": 0.499}
# Published loans per pincode. In the real table the pincode is built from the outcome.
PINCODES_CHARGED_OFF = {"11650": 11_226, "93700": 11_151, "86630": 10_981}
PINCODES_FULLY_PAID = {"00813": 45_824, "29597": 45_471, "05113": 45_402}
PINCODES_SHARED = {"70466": 56_985, "30723": 56_546, "22690": 56_527, "48052": 55_917}
PUBLISHED_CHARGED_OFF = 77_673
