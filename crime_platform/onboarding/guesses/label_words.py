"""Words in labels that tell how an incident came to be recorded, in the languages of publishers.

Every pattern is matched against a label in small letters without accents. Stems stand at the start
of a word; German ones, which end compounds, stand anywhere.
"""

import re

from anyascii import anyascii


def folded(text: str) -> str:
    """A text in small letters of ASCII: accents dropped, other scripts transliterated."""
    return anyascii(text).lower()


def _words(starts: str, anywhere: str = "") -> re.Pattern[str]:
    """Any of the stems, which are separated by blanks; `_` stands for what parts two words."""
    stems = [rf"\b(?:{'|'.join(starts.split())})", *anywhere.split()]
    return re.compile("|".join(stems).replace("_", r"[\s/&.,()-]+"))


# No offence whatever else the label says: an accident that killed is no homicide.
SURELY_NO_OFFENCE = _words(
    r"""accident collision crash hit_and_run hit_run leaving_(the_)?scene
    alarms?\b assist(ance|s|ed|ing)?\b recover unfounded not_arson non_?criminal not_a_crime
    accidente por_transito transito_vehicular no_delictiv recuperad
    acidente fato_atipico recuperacao localizacao
    fausse_alerte circulation_routiere non_delict
    incidente_(stradale|domestico) ritrovament rinveniment recuperat""",
    r"unfall fehlalarm verkehrsongeval",
)
# Recorded because police looked, although the label names a victim's loss too.
SURELY_POLICE = _words(
    r"""possess receiv(ing|ed)?_(of_)?stolen stolen_property stolen_goods burglar[a-z']*_(s_)?tools
    warrant resist(ing|s)?\b obstruct interfer(e|ing|ence)_with_(a_)?(public|police|officer)
    driving_under under_(the_)?influence dui\b dwi\b sex_offender_(regist|fail)
    (stop|person|vehicle|pedestrian|strip|house|custody)_(and_)?(vehicle_)?search searche?s?\b
    (traffic|pedestrian|vehicle|person|street)_stops? field_(interview|contact|stop)
    posesion portacion encubrimiento receptacion orden_de_aprehension
    posse\b porte_(de|ilegal) receptacao mandado flagrante apreensao
    recels?\b (port|detention)_(prohibee?_)?d.(une?_)?arme mandat
    ricettazione porto_(abusivo|illegale|di) detenzione""",
    r"hehlerei haftbefehl besitz waffenfuhr",
)
# Harm that a victim or a witness reports.
REPORTED_HARM = _words(
    r"""assault batter(y|ies) robb burgl larcen thefts? thief thieves steal stole[n]? shoplift
    homicid
    murder manslaughter kill rape sex(ual)?\b molest sodom arson vandal damag graffiti mischief
    fraud forger swindl embezzl counterfeit identity kidnap abduct stalk harass threat intimidat
    extort blackmail menac stab(b|s\b) shoot shots?\b gunshot gunfire carjack home_invasion
    b&e b_and_e
    break(ing)?_(and_)?(in|ent) snatch pickpocket violen cruel neglect abuse endanger brandish
    discharg bomb phone_calls? telephone wound grievous
    robos?\b hurto asalto lesion feminicid violacion amenaza estafa extorsion secuestro
    danos?\b despojo
    roubo furto lesao lesoes latrocinio estupro ameaca estelionato extorsao agress arromb
    vols?\b cambriol coups blessures viols?\b meurtre assassin menace escroquer degradation
    destruction enlevement harcel
    furti\b rapin omicid stupro minacc truff estorsion sequestro_di_persona dannegg percoss
    scippo aggression mord\b raub""",
    r"""diebst raub einbruch verletzung totschlag sachbeschad brandstift vergewalt betrug erpress
    notigung bedroh beleidig nachstell diefstal inbraak mishandeling""",
)
# Recorded because police looked, not because somebody was harmed and said so.
POLICE_DISCOVERED = _words(
    r"""drug narco controlled_(dangerous_)?substance cds\b marijuana cannabis cocaine heroin meth\b
    paraphernalia contraband prostitut pimping pandering weapon firearms? gun_(law|carry|permit)
    explosives? knife_carry liquor alcohol licens(e|ed|ing)\b gambl public_order public_peace
    public_administ disorder disturbing_the_peace breach_of_(the_)?peace ovi\b owi\b drunk intoxic
    impaired loiter vagran vagabond panhandl begging solicit trespass traffic parking speeding
    moving_(infraction|violation) auto_law registration curfew obscen pornograph immigration
    (city_|local_|municipal_)?ordinance (administrative|municipal|health)_code contempt perjury brib
    escap(e|ed|ing)\b bail\b parole probation fail(ure)?_to_(appear|yield|regist) evad(e|ing) elud
    flee(ing)?\b fugitive fare_evasion smuggl conceal arrest society
    false_report fireworks litter dumping
    drog delitos_contra_la_salud armas?_de_fuego arma\b resistencia cohecho ebri(o|edad)
    conducir conduccion juego_de_azar contrabando migra orden_publico desacato
    trafico entorpecente embriaguez direcao_perigosa jogo_d desobediencia ordem_publica mandados?
    trafic stupefiant usage_de alcool alcoolem racolage proxenet outrage rebellion police_des_etr
    (legislation_sur_les_|entree_ou_sejour_des_)?etrangers travail_clandestin travail_illegal
    conduite sans_permis ivresse jeux_d controle
    stupefacent spaccio resistenza guida_in contrabband immigrazion gioco_d prostituzione
    hausfriedensbruch landfriedensbruch widerstand schwarzfahr erschleich trunkenheit gluckss
    aufenthalts asyl waffen verkehr fahren_ohne razzia kontroll durchsuch""",
    r"rauschgift betaubungsmittel btmg? waffengesetz verkehrsstraf strassenverkehr hausrecht",
)
# Calls and services that are no offences.
NO_OFFENCE = _words(
    r"""lost\b found\b missing misplaced runaway truan suspicious animal dog_bite towed tow\b
    impound
    death dead(_body)?\b deceased bod(y|ies)_found suicid overdos welfare wellbeing well_being
    wellness mental psychiatr emotional disturb noise civil initiative investigat
    anti_?social verbal disput argument quarrel neighbou?r landlord tenant eviction sick injur ill\b
    illness medical ambulance ems\b first_aid hospital transport unconscious fall\b fell\b
    service_(to|call|request) public_service community_(service|relation) courtesy information
    (premises?|property|security|building|welfare|well_being)_checks? checks?_(on|well|premises)
    fires?\b (report|alarm)_only open_door open_window utility hazard weather stranded hang_up
    crisis problem_solving (harbou?r|aircraft)_incident
    disabled_(vehicle|motor) abandoned lockout keep_the_peace escort house_watch drill\b test\b
    follow_?up unwanted_(guest|person|subject) (person|man|wires?|pole|tree)_down
    property_(lost|found|return|held|destr) case_closure no_crime gone_on_arrival
    extravi perdid[ao] desaparecid denuncia_de_hechos hallazgo suicidio ruido
    encontrad[ao] achad[oa] encontro_de perda desaparec morte_(natural|suspeita|acidental|a_) obito
    perturbacao averiguacao auxilio socorro
    trouve bless disparu disparition perte\b mort_(naturelle|accident) deces tapage secours malade
    differend litige objets?_perdus fugue
    smarriment scompars schiamazz disturbo soccors lite\b liti\b decesso cadavere malore
    vermiss fund(sach|gegen|ort) gefunden verlust verloren hilfe hilflos streit ruhestor
    todesermitt leiche unfug larm
    gevonden vermist overlast geluid""",
    r"streitigkeit suizid selbsttotung selbstmord hilfeleistung larmbelast",
)


def _codes(written: str) -> frozenset[str]:
    return frozenset(written.split())


# Codes that American police report to the FBI (NIBRS), for files without names.
NIBRS_POLICE = _codes(
    """280 30A 30B 30C 30D 35A 35B 370 39A 39B 39C 39D 40A 40B 40C 49A 49B 49C 510 520 521 522 526
    58A 58B 61A 61B 90B 90C 90D 90E 90G 90J"""
)
NIBRS_NO_OFFENCE = frozenset({"90I"})  # a runaway
NIBRS_HARM = _codes(
    """09A 09B 09C 100 11A 11B 11C 11D 120 13A 13B 13C 200 210 220 23A 23B 23C 23D 23E 23F 23G 23H
    240 250 26A 26B 26C 26D 26E 26F 26G 26H 270 290 36A 36B 36C 360 64A 64B 720 90A 90F 90H 90K 90M
    90Z"""
)
