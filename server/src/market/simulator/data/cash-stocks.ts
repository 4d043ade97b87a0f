/** Stocks and funds of the cash market without contracts: `symbol|name|price`, prices as in `fo-stocks.ts`. */
export const CASH_STOCKS = `
HUDCO|Housing and Urban Development Corporation|228
PPLPHARMA|Piramal Pharma|180
TATATECH|Tata Technologies|665
TORNTPOWER|Torrent Power|1300
3MINDIA|3M India|34500
AADHARHFC|Aadhar Housing Finance|490
AARTIIND|Aarti Industries|375
AAVAS|Aavas Financiers|1480
ABBOTINDIA|Abbott India|29000
ABDL|Allied Blenders and Distillers|620
ABFRL|Aditya Birla Fashion and Retail|78
ABLBL|Aditya Birla Lifestyle Brands|128
ABREL|Aditya Birla Real Estate|1680
ABSLAMC|Aditya Birla Sun Life AMC|735
ACC|ACC|1750
ACE|Action Construction Equipment|980
ACMESOLAR|ACME Solar Holdings|235
ACUTAAS|Acutaas Chemicals|1750
AEGISLOG|Aegis Logistics|760
AEGISVOPAK|Aegis Vopak Terminals|260
AETHER|Aether Industries|900
AFCONS|Afcons Infrastructure|400
AFFLE|Affle 3i|1680
AGARWALEYE|Dr. Agarwal's Health Care|500
AIAENG|AIA Engineering|3800
AIIL|Authum Investment and Infrastructure|2700
AJANTPHARM|Ajanta Pharma|2650
AKUMS|Akums Drugs and Pharmaceuticals|440
AKZOINDIA|Akzo Nobel India|3200
ALKYLAMINE|Alkyl Amines Chemicals|1650
ALIVUS|Alivus Life Sciences|920
ALLCARGO|Allcargo Logistics|12
ALOKINDS|Alok Industries|17
ANANDRATHI|Anand Rathi Wealth|2950
ANANTRAJ|Anant Raj|560
APARINDS|Apar Industries|8700
APOLLOTYRE|Apollo Tyres|505
APTUS|Aptus Value Housing Finance|285
ARE&M|Amara Raja Energy and Mobility|935
ARVIND|Arvind|315
ARVINDFASN|Arvind Fashions|490
ASAHIINDIA|Asahi India Glass|980
ASHOKA|Ashoka Buildcon|165
ASIANTILES|Asian Granito India|62
ASKAUTOLTD|ASK Automotive|490
ASTERDM|Aster DM Healthcare|640
ASTRAZEN|AstraZeneca Pharma India|8900
ATGL|Adani Total Gas|590
ATHERENERG|Ather Energy|680
ATUL|Atul|5900
AURIONPRO|Aurionpro Solutions|1080
AVANTIFEED|Avanti Feeds|830
AWL|AWL Agri Business|240
AXISCADES|Axiscades Technologies|1250
BAJAJELEC|Bajaj Electricals|480
BAJAJHFL|Bajaj Housing Finance|98
BALAMINES|Balaji Amines|1190
BALKRISIND|Balkrishna Industries|2330
BALRAMCHIN|Balrampur Chini Mills|455
BASF|BASF India|4000
BATAINDIA|Bata India|960
BAYERCROP|Bayer CropScience|4500
BBTC|Bombay Burmah Trading Corporation|1850
BECTORFOOD|Mrs Bectors Food Specialities|250
BELRISE|Belrise Industries|165
BEML|BEML|1780
BERGEPAINT|Berger Paints India|545
BHARTIHEXA|Bharti Hexacom|1780
BIKAJI|Bikaji Foods International|730
BIRLACORPN|Birla Corporation|1060
BLS|BLS International Services|325
BLUEDART|Blue Dart Express|5500
BLUEJET|Blue Jet Healthcare|560
BOMDYEING|Bombay Dyeing|130
BORORENEW|Borosil Renewables|560
BRIGADE|Brigade Enterprises|900
BSOFT|Birlasoft|430
CAMPUS|Campus Activewear|275
CANFINHOME|Can Fin Homes|910
CAPLIPOINT|Caplin Point Laboratories|1850
CARBORUNIV|Carborundum Universal|860
CARTRADE|CarTrade Tech|2850
CASTROLIND|Castrol India|189
CCL|CCL Products India|960
CEATLTD|CEAT|3850
CELLO|Cello World|560
CENTRALBK|Central Bank of India|37
CENTURYPLY|Century Plyboards India|790
CERA|Cera Sanitaryware|5500
CESC|CESC|172
CGCL|Capri Global Capital|185
CHALET|Chalet Hotels|890
CHAMBLFERT|Chambal Fertilisers and Chemicals|450
CHENNPETRO|Chennai Petroleum Corporation|900
CHOICEIN|Choice International|810
CHOLAHLDNG|Cholamandalam Financial Holdings|1880
CIEINDIA|CIE Automotive India|410
CLEAN|Clean Science and Technology|900
CMSINFO|CMS Info Systems|355
COHANCE|Cohance Lifesciences|550
CONCORDBIO|Concord Biotech|1400
COROMANDEL|Coromandel International|2300
CRAFTSMAN|Craftsman Automation|6900
CREDITACC|CreditAccess Grameen|1290
CRISIL|CRISIL|4400
CUB|City Union Bank|275
CYIENT|Cyient|1130
CYIENTDLM|Cyient DLM|430
DATAPATTNS|Data Patterns India|2700
DBREALTY|Valor Estate|125
DCAL|Dishman Carbogen Amcis|230
DCBBANK|DCB Bank|175
DCMSHRIRAM|DCM Shriram|1230
DCXINDIA|DCX Systems|190
DEEPAKFERT|Deepak Fertilisers and Petrochemicals|1300
DEEPAKNTR|Deepak Nitrite|1560
DELTACORP|Delta Corp|70
DEVYANI|Devyani International|140
DHANI|Dhani Services|58
DHANUKA|Dhanuka Agritech|1160
DOMS|DOMS Industries|2550
DYNAMATECH|Dynamatic Technologies|8700
EASEMYTRIP|Easy Trip Planners|7.5
ECLERX|eClerx Services|4600
EDELWEISS|Edelweiss Financial Services|110
EIDPARRY|EID Parry India|1020
EIHOTEL|EIH|375
ELECON|Elecon Engineering Company|510
ELECTCAST|Electrosteel Castings|75
ELGIEQUIP|Elgi Equipments|480
EMAMILTD|Emami|525
EMCURE|Emcure Pharmaceuticals|1400
EMUDHRA|eMudhra|600
ENDURANCE|Endurance Technologies|2680
ENGINERSIN|Engineers India|200
ENRIN|Siemens Energy India|3150
EPL|EPL|205
EQUITASBNK|Equitas Small Finance Bank|64
ERIS|Eris Lifesciences|1580
ESABINDIA|ESAB India|5700
ESCORTS|Escorts Kubota|3800
ETHOSLTD|Ethos|2900
EUREKAFORB|Eureka Forbes|610
EXICOM|Exicom Tele-Systems|125
FACT|Fertilisers and Chemicals Travancore|880
FDC|FDC|430
FINCABLES|Finolex Cables|770
FINEORG|Fine Organic Industries|4400
FINPIPE|Finolex Industries|180
FIRSTCRY|Brainbees Solutions|290
FIVESTAR|Five-Star Business Finance|600
FLUOROCHEM|Gujarat Fluorochemicals|3500
FSL|Firstsource Solutions|345
GABRIEL|Gabriel India|1050
GALLANTT|Gallantt Ispat|560
GARFIBRES|Garware Technical Fibres|690
GENUSPOWER|Genus Power Infrastructures|320
GESHIP|Great Eastern Shipping Company|1130
GHCL|GHCL|560
GICRE|General Insurance Corporation of India|385
GILLETTE|Gillette India|8500
GLAND|Gland Pharma|1750
GLAXO|GlaxoSmithKline Pharmaceuticals|2550
GMDCLTD|Gujarat Mineral Development Corporation|570
GMMPFAUDLR|GMM Pfaudler|1130
GNFC|Gujarat Narmada Valley Fertilizers|500
GOCOLORS|Go Fashion India|480
GODIGIT|Go Digit General Insurance|350
GODREJAGRO|Godrej Agrovet|580
GODREJIND|Godrej Industries|1020
GOKEX|Gokaldas Exports|880
GPIL|Godawari Power and Ispat|240
GPPL|Gujarat Pipavav Port|182
GRANULES|Granules India|560
GRAPHITE|Graphite India|560
GRAVITA|Gravita India|1750
GREAVESCOT|Greaves Cotton|185
GRINDWELL|Grindwell Norton|1620
GRINFRA|G R Infraprojects|1020
GRSE|Garden Reach Shipbuilders & Engineers|2500
GSFC|Gujarat State Fertilizers & Chemicals|185
GSPL|Gujarat State Petronet|290
GUJALKALI|Gujarat Alkalies and Chemicals|500
GUJGASLTD|Gujarat Gas|400
GVT&D|GE Vernova T&D India|3050
HAPPSTMNDS|Happiest Minds Technologies|500
HATSUN|Hatsun Agro Product|1050
HBLENGINE|HBL Engineering|900
HCG|Healthcare Global Enterprises|700
HDBFS|HDB Financial Services|740
HEG|HEG|540
HERITGFOOD|Heritage Foods|470
HEXT|Hexaware Technologies|740
HFCL|HFCL|72
HGINFRA|H.G. Infra Engineering|860
HIKAL|Hikal|225
HINDCOPPER|Hindustan Copper|340
HOMEFIRST|Home First Finance Company|1120
HONASA|Honasa Consumer|285
HONAUT|Honeywell Automation India|34500
HSCL|Himadri Speciality Chemical|460
IBULLSLTD|Indiabulls|15
ICRA|ICRA|6100
IDBI|IDBI Bank|100
IFCI|IFCI|52
IFBIND|IFB Industries|1400
IGIL|International Gemmological Institute|330
IGL|Indraprastha Gas|205
IIFL|IIFL Finance|560
IKS|Inventurus Knowledge Solutions|1650
IMFA|Indian Metals & Ferro Alloys|1250
INDGN|Indegene|530
INDIACEM|India Cements|420
INDIAGLYCO|India Glycols|950
INDIAMART|IndiaMART InterMESH|2350
INDIANHUME|Indian Hume Pipe Company|420
INGERRAND|Ingersoll-Rand India|3700
INOXINDIA|INOX India|1150
INTELLECT|Intellect Design Arena|1100
IOB|Indian Overseas Bank|39
IONEXCHANG|ION Exchange India|370
IPCALAB|Ipca Laboratories|1430
IRB|IRB Infrastructure Developers|43
IRCON|Ircon International|165
IRCTC|Indian Railway Catering and Tourism Corporation|690
ITCHOTELS|ITC Hotels|210
ITDCEM|ITD Cementation India|800
ITI|ITI|310
IXIGO|Le Travenues Technology|260
J&KBANK|Jammu & Kashmir Bank|106
JAIBALAJI|Jai Balaji Industries|75
JAMNAAUTO|Jamna Auto Industries|115
JBCHEPHARM|J.B. Chemicals & Pharmaceuticals|1780
JBMA|JBM Auto|620
JINDALSAW|Jindal Saw|165
JKCEMENT|JK Cement|5600
JKLAKSHMI|JK Lakshmi Cement|780
JKPAPER|JK Paper|370
JKTYRE|JK Tyre & Industries|450
JMFINANCIL|JM Financial|145
JPPOWER|Jaiprakash Power Ventures|18
JSL|Jindal Stainless|770
JSWCEMENT|JSW Cement|118
JSWHL|JSW Holdings|20500
JSWINFRA|JSW Infrastructure|275
JUBLINGREA|Jubilant Ingrevia|690
JUBLPHARMA|Jubilant Pharmova|1080
JUSTDIAL|Just Dial|740
JWL|Jupiter Wagons|310
JYOTHYLAB|Jyothy Labs|285
JYOTICNC|Jyoti CNC Automation|960
KAJARIACER|Kajaria Ceramics|1040
KANSAINER|Kansai Nerolac Paints|240
KARURVYSYA|Karur Vysya Bank|250
KEC|KEC International|710
KIMS|Krishna Institute of Medical Sciences|660
KIRLOSBROS|Kirloskar Brothers|1700
KIRLOSENG|Kirloskar Oil Engines|1130
KIRLPNU|Kirloskar Pneumatic Company|1080
KNRCON|KNR Constructions|160
KPEL|KP Energy|370
KPIGREEN|KPI Green Energy|480
KPIL|Kalpataru Projects International|1220
KPRMILL|K.P.R. Mill|1000
KRBL|KRBL|400
KRN|KRN Heat Exchanger|730
KSB|KSB|750
KTKBANK|Karnataka Bank|205
LALPATHLAB|Dr. Lal PathLabs|1480
LATENTVIEW|Latent View Analytics|480
LEMONTREE|Lemon Tree Hotels|155
LINDEINDIA|Linde India|5900
LLOYDSENGG|Lloyds Engineering Works|55
LLOYDSENT|Lloyds Enterprises|62
LLOYDSME|Lloyds Metals and Energy|1280
LMW|LMW|14800
LTFOODS|LT Foods|400
LTTS|L&T Technology Services|4400
LUMAXTECH|Lumax Auto Technologies|1350
LXCHEM|Laxmi Organic Industries|165
MAHABANK|Bank of Maharashtra|60
MAHLIFE|Mahindra Lifespace Developers|400
MAHSEAMLES|Maharashtra Seamless|560
MAHSCOOTER|Maharashtra Scooters|14200
MANYAVAR|Vedant Fashions|600
MAPMYINDIA|C.E. Info Systems|1720
MARKSANS|Marksans Pharma|190
MASTEK|Mastek|2150
MAXESTATES|Max Estates|450
MEDANTA|Global Health|1200
MEDPLUS|MedPlus Health Services|790
METROBRAND|Metro Brands|1130
METROPOLIS|Metropolis Healthcare|1930
MGL|Mahanagar Gas|1220
MHRIL|Mahindra Holidays & Resorts|320
M&MFIN|Mahindra & Mahindra Financial Services|370
MIDHANI|Mishra Dhatu Nigam|340
MINDACORP|Minda Corporation|580
MMTC|MMTC|64
MOIL|MOIL|360
MRF|MRF|152000
MRPL|Mangalore Refinery and Petrochemicals|160
MSTCLTD|MSTC|490
MSUMI|Motherson Sumi Wiring India|47
MTARTECH|MTAR Technologies|2450
MTNL|Mahanagar Telephone Nigam|37
NATCOPHARM|Natco Pharma|920
NAVA|Nava|530
NAVINFLUOR|Navin Fluorine International|5900
NAZARA|Nazara Technologies|250
NCC|NCC|172
NESCO|Nesco|1250
NETWEB|Netweb Technologies India|3250
NETWORK18|Network18 Media & Investments|46
NEULANDLAB|Neuland Laboratories|16500
NEWGEN|Newgen Software Technologies|880
NH|Narayana Hrudayalaya|1900
NIACL|New India Assurance Company|175
NIITMTS|NIIT Learning Systems|330
NIVABUPA|Niva Bupa Health Insurance|76
NLCINDIA|NLC India|245
NMDCSTEEL|NMDC Steel|43
NOCIL|NOCIL|160
NTPCGREEN|NTPC Green Energy|96
NUVOCO|Nuvoco Vistas Corporation|355
OLAELEC|Ola Electric Mobility|40
OLECTRA|Olectra Greentech|1250
ONESOURCE|Onesource Specialty Pharma|1750
OPTIEMUS|Optiemus Infracom|560
ORIENTCEM|Orient Cement|170
ORIENTELEC|Orient Electric|185
PARADEEP|Paradeep Phosphates|165
PARAS|Paras Defence and Space Technologies|680
PCBL|PCBL Chemical|330
PCJEWELLER|PC Jeweller|10.5
PEL|Piramal Enterprises|1150
PFIZER|Pfizer|5000
PGHH|Procter & Gamble Hygiene and Health Care|12800
PGIL|Pearl Global Industries|1650
PIRAMALFIN|Piramal Finance|1550
PNCINFRA|PNC Infratech|250
PNGJL|P N Gadgil Jewellers|620
POCL|Pondy Oxides and Chemicals|1250
POLYMED|Poly Medicure|1900
POONAWALLA|Poonawalla Fincorp|475
POWERMECH|Power Mech Projects|2300
PRAJIND|Praj Industries|320
PRINCEPIPE|Prince Pipes and Fittings|290
PRIVISCL|Privi Speciality Chemicals|3100
PRSMJOHNSN|Prism Johnson|130
PRUDENT|Prudent Corporate Advisory Services|2600
PSB|Punjab & Sind Bank|29
PTC|PTC India|160
PTCIL|PTC Industries|18200
PVRINOX|PVR INOX|1080
QPOWER|Quality Power Electrical Equipments|740
QUESS|Quess Corp|215
RADICO|Radico Khaitan|3200
RAILTEL|RailTel Corporation of India|340
RAIN|Rain Industries|115
RAINBOW|Rainbow Children's Medicare|1330
RAJESHEXPO|Rajesh Exports|185
RALLIS|Rallis India|265
RAMCOCEM|Ramco Cements|1010
RAMCOSYS|Ramco Systems|580
RATEGAIN|RateGain Travel Technologies|690
RATNAMANI|Ratnamani Metals & Tubes|2350
RAYMOND|Raymond|440
RAYMONDLSL|Raymond Lifestyle|1080
RCF|Rashtriya Chemicals and Fertilizers|150
REDINGTON|Redington|280
REDTAPE|Redtape|125
RELAXO|Relaxo Footwears|405
RELIGARE|Religare Enterprises|245
RELINFRA|Reliance Infrastructure|165
RENUKA|Shree Renuka Sugars|27
RHIM|RHI Magnesita India|460
RITES|RITES|240
RKFORGE|Ramkrishna Forgings|520
ROUTE|Route Mobile|690
RPGLIFE|RPG Life Sciences|2300
RPOWER|Reliance Power|40
RRKABEL|R R Kabel|1400
RTNINDIA|RattanIndia Enterprises|52
SAFARI|Safari Industries India|2300
SAGILITY|Sagility|51
SAILIFE|Sai Life Sciences|900
SAMHI|SAMHI Hotels|195
SANDUMA|Sandur Manganese & Iron Ores|220
SANOFI|Sanofi India|4400
SANSERA|Sansera Engineering|1680
SAPPHIRE|Sapphire Foods India|265
SARDAEN|Sarda Energy & Minerals|520
SAREGAMA|Saregama India|390
SBFC|SBFC Finance|108
SCHAEFFLER|Schaeffler India|3900
SCHNEIDER|Schneider Electric Infrastructure|740
SCI|Shipping Corporation of India|235
SENCO|Senco Gold|320
SFL|Sheela Foam|620
SHAILY|Shaily Engineering Plastics|2500
SHAKTIPUMP|Shakti Pumps India|730
SHARDACROP|Sharda Cropchem|830
SHILPAMED|Shilpa Medicare|350
SHOPERSTOP|Shoppers Stop|450
SHRIPISTON|Shriram Pistons & Rings|2900
SHYAMMETL|Shyam Metalics and Energy|840
SIGNATURE|Signatureglobal India|1080
SJVN|SJVN|77
SKFINDIA|SKF India|2150
SKYGOLD|Sky Gold and Diamonds|350
SMLISUZU|SML Isuzu|3300
SOBHA|Sobha|1520
SONATSOFTW|Sonata Software|365
SOUTHBANK|South Indian Bank|39
SPANDANA|Spandana Sphoorty Financial|260
SPARC|Sun Pharma Advanced Research Company|135
SPLPETRO|Supreme Petrochem|640
STAR|Strides Pharma Science|900
STARCEMENT|Star Cement|225
STARHEALTH|Star Health and Allied Insurance|480
STLTECH|Sterlite Technologies|105
STYRENIX|Styrenix Performance Materials|2100
SUBROS|Subros|900
SUDARSCHEM|Sudarshan Chemical Industries|980
SUMICHEM|Sumitomo Chemical India|480
SUNDARMFIN|Sundaram Finance|4700
SUNDRMFAST|Sundram Fasteners|930
SUNTECK|Sunteck Realty|420
SUNTV|Sun TV Network|560
SUPRAJIT|Suprajit Engineering|450
SURYAROSNI|Surya Roshni|260
SWANCORP|Swan Corp|430
SWSOLAR|Sterling and Wilson Renewable Energy|215
SYMPHONY|Symphony|880
SYNGENE|Syngene International|645
SYRMA|Syrma SGS Technology|790
TANLA|Tanla Platforms|510
TARC|TARC|160
TARIL|Transformers and Rectifiers India|260
TATACHEM|Tata Chemicals|780
TATACOMM|Tata Communications|1830
TATAINVEST|Tata Investment Corporation|720
TATVA|Tatva Chintan Pharma Chem|1400
TBOTEK|TBO Tek|1650
TCI|Transport Corporation of India|1080
TDPOWERSYS|TD Power Systems|720
TECHNOE|Techno Electric & Engineering|1120
TEGA|Tega Industries|1950
TEJASNET|Tejas Networks|490
TEXRAIL|Texmaco Rail & Engineering|130
THANGAMAYL|Thangamayil Jewellery|3200
THELEELA|Leela Palaces Hotels & Resorts|420
THERMAX|Thermax|2950
THYROCARE|Thyrocare Technologies|480
TIMETECHNO|Time Technoplast|195
TIMKEN|Timken India|3050
TIPSMUSIC|Tips Music|530
TITAGARH|Titagarh Rail Systems|800
TMCV|Tata Motors|395
TRAVELFOOD|Travel Food Services|1250
TRIDENT|Trident|27
TRITURBINE|Triveni Turbine|535
TRIVENI|Triveni Engineering & Industries|360
TTML|Tata Teleservices Maharashtra|50
TVSSCS|TVS Supply Chain Solutions|110
UBL|United Breweries|1680
UCOBANK|UCO Bank|30
UJJIVANSFB|Ujjivan Small Finance Bank|53
UNICHEMLAB|Unichem Laboratories|430
URBANCO|Urban Company|135
USHAMART|Usha Martin|440
UTIAMC|UTI Asset Management Company|1130
V2RETAIL|V2 Retail|2300
VAIBHAVGBL|Vaibhav Global|235
VARROC|Varroc Engineering|620
VENTIVE|Ventive Hospitality|760
VESUVIUS|Vesuvius India|480
VGUARD|V-Guard Industries|345
VIJAYA|Vijaya Diagnostic Centre|1010
VINATIORGA|Vinati Organics|1600
VIPIND|VIP Industries|370
VOLTAMP|Voltamp Transformers|7700
VTL|Vardhman Textiles|430
WABAG|VA Tech Wabag|1320
WAKEFIT|Wakefit Innovations|190
WELCORP|Welspun Corp|800
WELENT|Welspun Enterprises|510
WELSPUNLIV|Welspun Living|132
WESTLIFE|Westlife Foodworld|570
WHIRLPOOL|Whirlpool of India|920
WOCKPHARMA|Wockhardt|1400
YATHARTH|Yatharth Hospital & Trauma Care|720
ZAGGLE|Zaggle Prepaid Ocean Services|350
ZEEL|Zee Entertainment Enterprises|95
ZENSARTECH|Zensar Technologies|720
ZENTEC|Zen Technologies|1360
ZFCVINDIA|ZF Commercial Vehicle Control Systems India|13200
ZYDUSWELL|Zydus Wellness|450
NIFTYBEES|Nippon India ETF Nifty 50 BeES|293
BANKBEES|Nippon India ETF Nifty Bank BeES|615
JUNIORBEES|Nippon India ETF Nifty Next 50|735
GOLDBEES|Nippon India ETF Gold BeES|108
SILVERBEES|Nippon India Silver ETF|185
ITBEES|Nippon India ETF Nifty IT|40
LIQUIDBEES|Nippon India ETF Liquid BeES|1000
MON100|Motilal Oswal NASDAQ 100 ETF|235
SETFNIF50|SBI Nifty 50 ETF|275
CPSEETF|CPSE ETF|94
`
