"""Pools of words for simulated addresses, professions and loan titles: invented, no one's data."""


def _split(text: str) -> tuple[str, ...]:
	"""The words of a text: between commas where it has any."""
	return tuple(" ".join(text.split()).split(", " if "," in text else " "))


FIRST_NAMES = _split("""
  Adam Alan Alice Amanda Amy Andrea Andrew Angela Anna Anthony April Ashley Austin Barbara Benjamin Beth Brandon Brenda
  Brian Caitlin Calvin Carla Carol Catherine Charles Christina Cindy Colleen Courtney Craig Crystal Cynthia Daniel David
  Dawn Deborah Denise Derek Diana Donald Douglas Dustin Edward Elaine Elizabeth Emily Eric Erika Erin Eugene Evan
  Frances Gary George Gina Gloria Gregory Hannah Heather Heidi Holly Ian Jacob James Janet Jason Jeffrey Jennifer Jeremy
  Jessica Jill Joel John Jonathan Joseph Joshua Joyce Judith Julia Justin Karen Katherine Keith Kelly Kenneth Kevin
  Kimberly Kristen Kyle Larry Laura Lauren Leslie Linda Lisa Logan Lori Lucas Luis Marcus Margaret Maria Marissa Mark
  Martha Mary Matthew Megan Melissa Michael Michelle Miguel Molly Monica Nancy Natalie Nathan Nicholas Nicole Olivia
  Pamela Patricia Patrick Paul Peter Philip Phyllis Rachel Ralph Raymond Rebecca Regina Renee Richard Robert Robin
  Ronald Russell Ruth Ryan Sabrina Samantha Sandra Sarah Scott Shannon Sharon Shawn Sheila Sierra Sonya Stacy Stephanie
  Stephen Susan Suzanne Sydney Tamara Tanya Taylor Teresa Thomas Tiffany Timothy Tina Todd Tracy Travis Tyler Valerie
  Vanessa Veronica Vincent Virginia Walter Wanda Wayne Wendy Whitney William Yolanda Zachary
""")

LAST_NAMES = _split("""
  Adams Aguilar Allen Alvarez Anderson Andrews Armstrong Arnold Austin Bailey Baker Barnes Barrett Bates Beck Bell
  Bennett Berry Bishop Black Bowman Boyd Bradley Brooks Brown Bryant Burke Burns Butler Byrd Caldwell Campbell Carlson
  Carpenter Carr Carroll Carter Castillo Castro Chambers Chan Chapman Chavez Christensen Clark Cohen Cole Coleman
  Collins Contreras Cook Cooper Cox Craig Crawford Cruz Cunningham Curtis Daniels Davidson Davis Dean Delgado Diaz Dixon
  Douglas Duncan Dunn Edwards Elliott Ellis Espinoza Estrada Evans Ferguson Fernandez Fields Fisher Fleming Fletcher
  Flores Ford Foster Fowler Fox Francis Franklin Frazier Freeman Fuller Garcia Gardner Garrett Gibson Gilbert Gomez
  Gonzalez Goodwin Gordon Graham Grant Graves Gray Green Greene Gregory Griffin Guerrero Gutierrez Hall Hamilton Hansen
  Hanson Harper Harris Harrison Hart Harvey Hawkins Hayes Henderson Henry Hernandez Hicks Hill Hoffman Holland Holmes
  Holt Hopkins Horton Howard Howell Hudson Huff Hughes Hunt Hunter Jackson Jacobs James Jenkins Jensen Johnson Johnston
  Jones Jordan Kelley Kelly Kennedy Kim King Klein Knight Lambert Lane Larson Lawrence Lawson Lee Leon Lewis Little Long
  Lopez Lowe Lucas Luna Lynch Lyons Marshall Martin Martinez Mason Matthews May McCarthy McCoy McDonald McKinney Medina
  Mejia Mendez Mendoza Meyer Miles Miller Mills Mitchell Montgomery Moore Morales Moreno Morgan Morris Morrison Moss
  Mullins Munoz Murphy Murray Myers Neal Nelson Newman Nguyen Nichols Norris Nunez Obrien Oliver Olson Ortega Ortiz
  Owens Pacheco Padilla Palmer Parker Parks Patel Patterson Payne Pena Perez Perkins Perry Peters Peterson Phillips
  Pierce Porter Powell Price Quinn Ramirez Ramos Ray Reed Reeves Reid Reyes Reynolds Rhodes Rice Richards Riley Rios
  Rivera Robbins Roberts Robinson Rodriguez Rogers Romero Ross Rowe Ruiz Russell Ryan Salazar Sanchez Sanders Santiago
  Santos Schmidt Schneider Schultz Scott Shaw Shelton Silva Simmons Simpson Sims Smith Snyder Solis Soto Spencer Stanley
  Stevens Stewart Stone Strickland Sullivan Sutton Swanson Tate Taylor Terry Thomas Thompson Torres Townsend Tran Tucker
  Turner Underwood Valdez Vargas Vasquez Vaughn Vega Velez Wade Wagner Walker Wallace Walsh Walters Ward Warren
  Washington Watkins Watson Watts Weaver Webb Weber Welch Wells West Wheeler White Wiggins Wilkins Williams Willis
  Wilson Wood Woods Wright Wu Yates York Young Zamora Zimmerman
""")

STREET_SUFFIXES = _split("""
  Alley Avenue Bridge Brook Bypass Camp Canyon Cape Circle Cliff Club Corner Course Court Cove Creek Crest Crossing
  Curve Dale Dam Divide Drive Estate Expressway Extension Fall Ferry Field Flat Ford Forest Forge Fork Fort Freeway
  Garden Gateway Glen Green Grove Harbor Haven Heights Highway Hill Hollow Inlet Island Isle Junction Key Knoll Lake
  Land Landing Lane Light Loaf Lock Lodge Loop Mall Manor Meadow Mews Mill Mission Motorway Mount Mountain Neck Orchard
  Oval Overpass Park Parkway Pass Passage Path Pike Pine Place Plain Plaza Point Port Prairie Radial Ramp Ranch Rapid
  Rest Ridge River Road Route Row Rue Run Shoal Shore Skyway Spring Spur Square Station Stravenue Stream Street Summit
  Terrace Throughway Trace Track Trail Tunnel Turnpike Underpass Union Valley Via Viaduct View Village Ville Vista Walk
  Wall Way Well
""")

CITY_PREFIXES = ("East", "West", "North", "South", "New", "Lake", "Port")
CITY_SUFFIXES = _split("""
  berg borough burgh bury chester fort furt haven land mouth port shire side stad ton town view ville
""")

STATES = _split("""
  AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA
  RI SC SD TN TX UT VA VT WA WI WV WY
""")

MILITARY_OFFICES = ("APO", "DPO", "FPO")
MILITARY_REGIONS = ("AA", "AE", "AP")
SHIP_PREFIXES = ("USCGC", "USNS", "USNV", "USS")

# In falling order of frequency; drawn with a Zipf law.
COMMON_PROFESSIONS = _split("""
  Teacher, Manager, Supervisor, RN, Driver, Owner, Sales, Registered Nurse, Truck Driver, Office Manager,
  Project Manager, Police Officer, Operations Manager, General Manager, Sales Manager, Mechanic, Director,
  Vice President, Administrative Assistant, Electrician, Technician, Store Manager, Accountant, Engineer, President,
  Attorney, Program Manager, Assistant Manager, Paralegal, Executive Assistant, Machine Operator, Customer Service,
  Account Manager, Operator, Maintenance, Branch Manager, Business Analyst, Nurse, Analyst, Principal, Pharmacist,
  Secretary, Bus Driver, Consultant, Bookkeeper, Professor, Recruiter, Correctional Officer, Server, Underwriter,
  Security Officer, Custodian, Financial Advisor, Firefighter, Software Engineer, Controller, Foreman, Welder,
  Social Worker, Property Manager, Bartender, Pilot, Dental Hygienist, Physician, Medical Assistant, Flight Attendant,
  Physical Therapist, Machinist, Case Manager, Restaurant Manager, Warehouse Worker, Letter Carrier, Plumber, Buyer,
  Instructor, Data Analyst, Carpenter, Deputy Sheriff, Legal Assistant, Cook
""")

PROFESSION_LEVELS = _split("""
  Senior Junior Lead Chief Assistant Associate Deputy Principal Regional District National Area Corporate Global Local
  Shift Night Head Staff Certified Licensed Field Site Group Interim Divisional Executive Managing Technical Clinical
""")
PROFESSION_FIELDS = _split("""
  Account Admissions Advertising Audit Benefits Billing Building Cargo Claims Collections Communications Community
  Compliance Construction Content Contracts Credit Customer Data Database Delivery Dental Design Development Education
  Electrical Energy Engineering Environmental Events Facilities Finance Fleet Food Fraud Freight Grants Health Housing
  Imaging Insurance Inventory Laboratory Legal Library Logistics Marketing Media Medical Mortgage Network Nursing
  Operations Parts Patient Payroll Pharmacy Plant Policy Process Procurement Product Production Program Project Property
  Purchasing Quality Records Research Retail Risk Safety Sales School Security Service Software Surgical Systems Tax
  Test Training Transport Travel Treasury Utility Warehouse Web Youth
""")
PROFESSION_ROLES = _split("""
  Administrator Adviser Agent Aide Analyst Architect Assistant Associate Buyer Clerk Consultant Controller Coordinator
  Counselor Dispatcher Director Engineer Estimator Examiner Inspector Instructor Installer Investigator Lead Manager
  Mechanic Officer Operator Partner Planner Processor Recruiter Representative Scheduler Scientist Secretary Specialist
  Superintendent Supervisor Technician Therapist Trainer Worker Writer
""")
EMPLOYER_KINDS = _split("""
  Associates, Auto Group, Bank, Brothers, Clinic, Construction, Consulting, Corp, County Schools, Dental, Electric,
  Enterprises, Farms, Foods, Foundation, Group, Health System, Homes, Hospital, Hotels, Inc, Inc., Industries,
  Insurance, Labs, LLC, Logistics, Manufacturing, Marine, Medical Center, Partners, Pharmacy, Plumbing, Realty,
  Restaurants, Security, Solutions, Steel, Systems, Transport, Trucking, University
""")

# The form's title for each purpose, and borrowers' own words.
FORM_TITLES = {
	"debt_consolidation": "Debt consolidation",
	"credit_card": "Credit card refinancing",
	"home_improvement": "Home improvement",
	"other": "Other",
	"major_purchase": "Major purchase",
	"small_business": "Business",
	"car": "Car financing",
	"medical": "Medical expenses",
	"moving": "Moving and relocation",
	"vacation": "Vacation",
	"house": "Home buying",
	"wedding": "Wedding Loan",
	"renewable_energy": "Green loan",
	"educational": "Student Loan",
}
OWN_TITLE_TOPICS = {
	"debt_consolidation": ("Debt Consolidation", "Consolidation", "Consolidate", "Debt", "Payoff"),
	"credit_card": ("Credit Card", "Credit Cards", "Card Payoff", "Credit Card Refinance", "CC"),
	"home_improvement": ("Home Improvement", "Kitchen", "Bathroom Remodel", "Roof", "House"),
	"other": ("Personal", "Freedom", "Bills", "Taxes", "Family"),
	"major_purchase": ("Major Purchase", "Furniture", "Boat", "Motorcycle", "Pool"),
	"small_business": ("Business", "Small Business", "Business Expansion", "Start Up", "Equipment"),
	"car": ("Car", "Auto", "Truck", "Vehicle", "Car Purchase"),
	"medical": ("Medical", "Surgery", "Dental", "Medical Bills", "Hospital"),
	"moving": ("Moving", "Relocation", "New Home", "Move", "Apartment"),
	"vacation": ("Vacation", "Trip", "Holiday", "Travel", "Honeymoon"),
	"house": ("Home Buying", "Down Payment", "House Purchase", "Closing Costs", "Land"),
	"wedding": ("Wedding", "Ring", "Our Wedding", "Wedding Expenses", "Ceremony"),
	"renewable_energy": ("Solar", "Green Energy", "Solar Panels", "Windows", "Heat Pump"),
	"educational": ("Student", "Tuition", "School", "College", "Degree"),
}
OWN_TITLE_OPENERS = (
  "", "", "", "", "", "My ", "My ", "Our ", "The ", "New ", "Final ", "Quick ", "Great ", "One ",
  "Lower ", "Better ", "Fast ", "Smart ", "2012 ", "2013 ",
)  # fmt: skip
OWN_TITLE_CLOSERS = (
  "", "", "", " ", " Loan", " Loan", " Loan", " loan", " Plan", " Help", " Fund", " 2012",
  " 2013", " Project", " Request", " Now", " Goal", " Costs", " Refi", " Relief", " Freedom",
  " Fresh Start", " Payoff", " Expenses", " #1", " Solution",
)  # fmt: skip
