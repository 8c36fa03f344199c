"""German: the words and frames that compose.py turns into documents."""

HEROES = """
Tom;m;ein kleiner Junge;einen Jungen
Ben;m;ein junger Bauer;einen Bauern
Anna;f;eine kleine Prinzessin;eine Prinzessin
Emma;f;eine junge Frau;eine Frau
Lisa;f;eine kluge Schülerin;eine Schülerin
Milo;m;ein kleiner Hase;einen Hasen
Max;m;ein kleiner Hund;einen Hund
Luna;f;eine kleine Katze;eine Katze
Mia;f;eine kleine Maus;eine Maus
Bruno;m;ein junger Bär;einen Bären
Felix;m;ein kluger Fuchs;einen Fuchs
Rosa;f;eine kleine Ente;eine Ente
Nina;f;eine kleine Biene;eine Biene
Oskar;m;ein alter Wolf;einen Wolf
Leo;m;ein junger Löwe;einen Löwen
Bella;f;eine weiße Ziege;eine Ziege
"""
FRIENDS = "Paul;m Jan;m Lukas;m Peter;m Marie;f Sara;f Julia;f Clara;f"
OBJECTS = """
einen roten Ball;den Ball
eine kleine Lampe;die Lampe
ein altes Buch;das Buch
einen goldenen Schlüssel;den Schlüssel
einen blauen Hut;den Hut
eine kleine Glocke;die Glocke
einen warmen Schal;den Schal
einen schönen Stein;den Stein
"""
PLACES = """
im Wald;in den Wald
im Garten;in den Garten
am Fluss;an den Fluss
am Strand;an den Strand
im Dorf;in das Dorf
im Park;in den Park
am See;an den See
auf dem Feld;auf das Feld
"""
FOODS = "einen Apfel;etwas Brot;eine Birne;etwas Käse;eine Karotte;etwas Kuchen;etwas Suppe;etwas Honig"
BEASTS = """
einen kleinen Vogel;der Vogel;m
einen hungrigen Fuchs;der Fuchs;m
einen müden Hund;der Hund;m
eine verlorene Katze;die Katze;f
eine alte Schildkröte;die Schildkröte;f
eine kleine Ente;die Ente;f
"""
OPENINGS = [
    "Es war einmal {intro} namens {hero}. {hero} wohnte in einem kleinen Haus {at}.",
    "Es war einmal {intro}. [Er/Sie] hieß {hero}. {hero} wohnte {at}.",
    "Es war einmal {intro} namens {hero}. [Er/Sie] hatte viele Freunde {at}.",
    "{hero} war {intro}. Jeden Tag spielte [er/sie] gern {at}.",
]
PLOTS = [
    "Eines Tages verlor {hero} {obj}. [Er/Sie] suchte überall, aber [er/sie] fand nichts. {hero} war sehr traurig. Da kam {friend} und half. Zusammen suchten sie {at2}, und am Ende fanden sie {theobj}.",
    "Eines (Tages|Morgens) ging {hero} {to2}. Dort sah [er/sie] {beast}. {Thebeast} hatte Hunger. {hero} hatte {food} dabei und gab etwas davon ab. „Danke“, sagte {thebeast}. „Du bist sehr nett.“ Von diesem Tag an waren sie gute Freunde.",
    "Eines (Tages|Morgens) begann es zu regnen. {hero} konnte nicht draußen spielen. [Er/Sie] saß am Fenster und wartete. Dann kam die Sonne heraus, und am Himmel war ein großer Regenbogen. „Schaut!“, sagte {hero}. „Wie schön das ist!“",
    "{friend} hatte Geburtstag. {hero} wollte einen Kuchen backen. [Er/Sie] nahm Mehl, Milch, Eier und Zucker. Der Kuchen war sehr gut. {friend} freute sich und sagte: „Danke, {hero}! Das ist der beste Kuchen der Welt.“",
    "Eines Nachts konnte {hero} nicht schlafen. Es war dunkel, und [er/sie] hatte Angst. Dann schaute [er/sie] aus dem Fenster und sah den Mond und die Sterne. „Gute Nacht, Mond“, sagte {hero}. Bald schlief [er/sie] ein.",
    "{hero} wollte schwimmen lernen. Am Anfang war es sehr schwer, und [er/sie] hatte Angst vor dem Wasser. Aber {friend} sagte: „Gib nicht auf. Du kannst es!“ {hero} versuchte es immer wieder. Am Ende konnte [er/sie] schwimmen wie ein Fisch.",
    "Eines Tages hatte {hero} {food}. {friend} hatte nichts zu essen. „Hast du Hunger?“, fragte {hero}. „Ja“, sagte {friend}. Da teilte {hero} das Essen, und sie aßen zusammen {at2}.",
    "Eines (Tages|Abends) fand {hero} {obj} {at2}. „Wem gehört das?“, fragte [er/sie]. [Er/Sie] fragte alle. Es gehörte {friend}. {hero} gab {theobj} zurück, und {friend} freute sich sehr.",
    "Im Winter lag viel Schnee. {hero} und {friend} bauten {at2} einen großen Schneemann. Sie gaben ihm einen Hut und eine Karotte als Nase. Dann gingen sie nach Hause und tranken heiße Milch.",
    "Eines (Tages|Morgens) besuchte {hero} die Großmutter. Der Weg war lang, und die Sonne war heiß. Unterwegs traf [er/sie] {beast}. Sie gingen zusammen weiter. Die Großmutter freute sich, und alle aßen {food}.",
]
ENDINGS = [
    "{hero} war glücklich.",
    "An diesem Abend ging {hero} mit einem Lächeln ins Bett.",
    "Und sie lebten glücklich bis an ihr Ende.",
    "Es war ein (schöner|guter|wunderbarer) Tag.",
    "{hero} und {friend} waren die besten Freunde.",
]
STORY_REQUESTS = [
    "Erzähl mir (bitte |)eine (|kurze |kleine )Geschichte.",
    "Kannst du mir eine Geschichte über {topic} erzählen?",
    "Erzähl mir eine (|kurze )Geschichte über {topic}.",
    "Schreib eine (|kurze )Geschichte über {topic}.",
    "Erzähle eine Geschichte über {topic} namens {hero}.",
]

SCENES = [
    "Ich heiße {friend}. Ich bin (sechs|sieben|acht|neun|zehn) Jahre alt. Ich wohne {at}. Ich habe (einen Hund|eine Katze|einen Vogel|einen Hasen), und ich (lese|schwimme|singe|tanze) gern.",
    "Am Morgen steht {friend} um (sechs|sieben|acht) Uhr auf. <Er/Sie> trinkt (Milch|Tee|Wasser) und isst {food}. Dann geht <er/sie> (in die Schule|zur Arbeit). Am Abend liest <er/sie> ein Buch und geht ins Bett.",
    "Gestern ging {friend} {to}. Dort traf <er/sie> {hero}. Sie redeten und lachten. Am Abend gingen sie nach Hause.",
    "Heute ist das Wetter (schön|sehr gut|gut). Die Sonne scheint, und der Himmel ist blau. Die Kinder spielen {at}.",
    "Heute (ist es kalt|regnet es|schneit es). {friend} bleibt zu Hause und liest ein Buch. <Er/Sie> trinkt eine Tasse heißen Tee.",
    "{friend} geht auf den Markt. <Er/Sie> kauft Brot, (Äpfel|Birnen|Karotten) und Käse. Dann geht <er/sie> nach Hause und kocht eine Suppe.",
    "Die Katze (schläft|sitzt) auf dem (Stuhl|Tisch|Bett). Sie ist (schwarz|weiß|grau). Sie trinkt gern Milch. Sie heißt Luna.",
    "Der Hund spielt {at}. Er ist (groß|klein) und (braun|schwarz|weiß). Er läuft dem Ball nach. Er ist sehr glücklich.",
    "{At} steht ein Baum. Der Baum ist (sehr alt|sehr hoch). Im Sommer sind seine Blätter grün. Im Herbst sind sie gelb und rot. Vögel singen in dem Baum.",
    "Meine Familie ist (groß|klein). Ich habe eine Mutter, einen Vater und einen Bruder. Mein Bruder heißt Paul. Wir wohnen in einem Haus {at}.",
    "Wir sitzen {at}. Die Sonne geht unter, und die Luft ist warm. Wir essen {food} und trinken Wasser. Wir sind glücklich.",
    "{friend} hat {obj}. Es ist ein Geschenk von der Großmutter. {friend} freut sich sehr.",
]

CONCEPTS = """
ein Hund;Ein Hund ist ein Tier, das mit Menschen lebt. Er kann bellen, laufen und das Haus bewachen.;Der Hund läuft dem Ball nach.
eine Katze;Eine Katze ist ein kleines Tier mit weichem Fell. Sie schläft gern und fängt Mäuse.;Die Katze schläft auf dem Stuhl.
ein Vogel;Ein Vogel ist ein Tier mit Flügeln und Federn. Die meisten Vögel können fliegen.;Der Vogel singt im Baum.
ein Fisch;Ein Fisch ist ein Tier, das im Wasser lebt. Er schwimmt mit seinen Flossen.;Der Fisch schwimmt im Fluss.
ein Pferd;Ein Pferd ist ein großes und starkes Tier. Menschen können auf ihm reiten.;Das Pferd läuft über das Feld.
eine Kuh;Eine Kuh ist ein großes Tier, das auf einem Bauernhof lebt. Sie frisst Gras und gibt Milch.;Die Kuh frisst Gras.
ein Baum;Ein Baum ist eine große Pflanze mit einem Stamm, Ästen und Blättern.;Der Baum ist hoch und grün.
eine Blume;Eine Blume ist eine Pflanze mit einer schönen Blüte. Bienen mögen Blumen.;Die Blume ist rot und schön.
ein Haus;Ein Haus ist ein Gebäude, in dem Menschen wohnen. Es hat Wände, ein Dach, Türen und Fenster.;Das Haus hat ein rotes Dach.
ein Buch;Ein Buch hat viele Seiten mit Wörtern und Bildern. Man liest es, um zu lernen und Spaß zu haben.;Ich lese ein gutes Buch.
eine Schule;Eine Schule ist ein Ort, an dem Kinder lesen, schreiben und rechnen lernen.;Die Kinder gehen in die Schule.
ein Auto;Ein Auto ist eine Maschine mit vier Rädern. Man fährt damit von einem Ort zum anderen.;Das Auto ist schnell.
ein Zug;Ein Zug ist ein langes Fahrzeug, das auf Schienen fährt. Er bringt viele Menschen ans Ziel.;Der Zug fährt um acht Uhr ab.
ein Boot;Ein Boot ist ein kleines Fahrzeug, das auf dem Wasser fährt.;Das Boot ist auf dem See.
ein Fluss;Ein Fluss ist viel Wasser, das zum Meer fließt.;Der Fluss fließt zum Meer.
ein Berg;Ein Berg ist ein sehr hohes Stück Land. Oben liegt oft Schnee.;Der Berg ist sehr hoch.
die Sonne;Die Sonne ist ein Stern. Sie gibt uns Licht und Wärme.;Die Sonne scheint heute.
der Mond;Der Mond ist eine große Kugel aus Stein, die um die Erde kreist. Wir sehen ihn in der Nacht.;Der Mond ist heute hell.
das Meer;Das Meer ist eine sehr große Fläche aus Salzwasser. Viele Fische leben darin.;Das Meer ist blau und tief.
der Regen;Der Regen ist Wasser, das aus den Wolken fällt. Die Pflanzen brauchen ihn.;Der Regen fällt auf das Dach.
der Schnee;Der Schnee ist gefrorenes Wasser, das im Winter aus den Wolken fällt. Er ist weiß und kalt.;Der Schnee ist weiß.
das Wasser;Das Wasser ist eine klare Flüssigkeit. Alle Menschen, Tiere und Pflanzen brauchen es zum Leben.;Ich trinke ein Glas Wasser.
das Brot;Das Brot ist ein Essen aus Mehl, Wasser und Salz. Man backt es im Ofen.;Das Brot ist frisch.
ein Apfel;Ein Apfel ist eine runde Frucht. Er kann rot, grün oder gelb sein.;Der Apfel ist süß.
ein Freund;Ein Freund ist ein Mensch, den man mag und dem man vertraut. Freunde helfen einander.;Mein Freund hilft mir.
ein Arzt;Ein Arzt ist ein Mensch, der Kranken hilft, gesund zu werden.;Der Arzt hilft dem kranken Mann.
ein Lehrer;Ein Lehrer ist ein Mensch, der anderen beim Lernen hilft.;Der Lehrer schreibt an die Tafel.
ein Computer;Ein Computer ist eine Maschine, die mit Zahlen, Wörtern und Bildern arbeitet.;Der Computer steht auf dem Tisch.
die Musik;Die Musik ist die Kunst der schönen Töne. Menschen singen und spielen Instrumente.;Ich höre gern Musik.
eine Biene;Eine Biene ist ein kleines Insekt, das Honig macht. Sie fliegt von Blume zu Blume.;Die Biene sitzt auf der Blume.
"""
CONCEPT_QUESTIONS = [
    "Was ist {x}?",
    "(Weißt du|Kannst du mir sagen), was {x} ist?",
    "Erkläre mir, was {x} ist.",
    "Sag mir bitte, was {x} ist.",
]
SENTENCE_REQUESTS = ["Bilde einen Satz mit „{n}“.", "Schreib einen (kurzen |)Satz mit „{n}“.", "Sag mir einen Satz mit dem Wort „{n}“."]

CAPITALS = """
von Frankreich;Paris;in Frankreich
von Deutschland;Berlin;in Deutschland
von Spanien;Madrid;in Spanien
von Italien;Rom;in Italien
von England;London;in England
von Portugal;Lissabon;in Portugal
von Österreich;Wien;in Österreich
der Schweiz;Bern;in der Schweiz
von Belgien;Brüssel;in Belgien
der Niederlande;Amsterdam;in den Niederlanden
von Polen;Warschau;in Polen
von Griechenland;Athen;in Griechenland
von Schweden;Stockholm;in Schweden
von Norwegen;Oslo;in Norwegen
von Dänemark;Kopenhagen;in Dänemark
von Irland;Dublin;in Irland
von Russland;Moskau;in Russland
von Japan;Tokio;in Japan
von China;Peking;in China
von Ägypten;Kairo;in Ägypten
von Kanada;Ottawa;in Kanada
der USA;Washington;in den USA
von Mexiko;Mexiko-Stadt;in Mexiko
von Argentinien;Buenos Aires;in Argentinien
"""
CAPITAL_QUESTIONS = [
    "Was ist die Hauptstadt {x}?",
    "(Wie heißt|Kennst du) die Hauptstadt {x}?",
    "Nenne mir die Hauptstadt {x}.",
    "Welche Stadt ist die Hauptstadt {x}?",
]
CAPITAL_ANSWER = "Die Hauptstadt {x} ist {y}."
CITY_QUESTION = "Wo liegt {y}?"
CITY_ANSWER = "{y} liegt {x}."

COLOURS = """
der Himmel;blau
das Gras;grün
der Schnee;weiß
die Sonne;gelb
eine Tomate;rot
eine Banane;gelb
eine Karotte;orange
die Nacht;schwarz
das Meer;blau
eine Zitrone;gelb
die Milch;weiß
eine Erdbeere;rot
"""
COLOUR_QUESTIONS = ["Welche Farbe hat {x}?", "Sag mir, welche Farbe {x} hat.", "Weißt du, welche Farbe {x} hat?"]
COLOUR_ANSWER = "{X} ist {y}."

OPPOSITES = "groß;klein heiß;kalt gut;schlecht alt;neu schnell;langsam lang;kurz hoch;niedrig Tag;Nacht hell;dunkel glücklich;traurig reich;arm stark;schwach voll;leer offen;geschlossen hart;weich leicht;schwer links;rechts ja;nein früh;spät schwarz;weiß sauber;schmutzig trocken;nass oben;unten schön;hässlich"
OPPOSITE_QUESTIONS = ["Was ist das Gegenteil von „{x}“?", "Nenne das Gegenteil von „{x}“.", "Was ist das Gegenteil von {x}?"]
OPPOSITE_ANSWER = "Das Gegenteil von „{x}“ ist „{y}“."

PLUS, MINUS = "plus", "minus"
SUM_QUESTIONS = ["Was ist {s}?", "Wie viel ist {s}?", "Was ergibt {s}?"]
SUM_ANSWER = "{s} ist {n}."

DAYS = "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"
MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
SEASONS = "Frühling Sommer Herbst Winter"
AFTER_DAY = ["Welcher Tag kommt nach {x}?", "Welcher Tag ist nach {x}?"]
BEFORE_DAY = ["Welcher Tag kommt vor {x}?", "Welcher Tag ist vor {x}?"]
AFTER_MONTH = ["Welcher Monat kommt nach {x}?", "Welcher Monat ist nach {x}?"]
BEFORE_MONTH = ["Welcher Monat kommt vor {x}?"]
AFTER_SEASON = []
AFTER_ANSWER = "Nach {x} kommt {y}."
BEFORE_ANSWER = "Vor {x} kommt {y}."

NUMBERS = "eins zwei drei vier fünf sechs sieben acht neun zehn"
COUNT_REQUESTS = ["Zähle bis {x}.", "Kannst du bis {x} zählen?", "Zähle bitte von eins bis {x}."]

ANIMALS = """
Hunde;Hunde fressen Fleisch.;Hunde leben bei den Menschen.;Hunde bellen.
Katzen;Katzen fressen Fleisch und Fisch.;Katzen leben in Häusern bei den Menschen.;Katzen miauen.
Kühe;Kühe fressen Gras.;Kühe leben auf dem Bauernhof.;Kühe muhen.
Pferde;Pferde fressen Gras und Heu.;Pferde leben auf der Weide und im Stall.;Pferde wiehern.
Vögel;Vögel fressen Samen und Insekten.;Vögel leben in Bäumen.;Vögel singen.
Fische;Fische fressen Pflanzen und kleine Tiere.;Fische leben in Flüssen, in Seen und im Meer.;Fische sind stumm.
Löwen;Löwen fressen Fleisch.;Löwen leben in Afrika.;Löwen brüllen.
Bären;Bären fressen Fisch, Beeren und Honig.;Bären leben in Wäldern und Bergen.;Bären brummen.
Hasen;Hasen fressen Gras und Karotten.;Hasen leben auf Feldern und Wiesen.;Hasen sind sehr leise.
Mäuse;Mäuse fressen Samen und Käse.;Mäuse leben auf Feldern und in Häusern.;Mäuse piepsen.
Schafe;Schafe fressen Gras.;Schafe leben auf dem Bauernhof.;Schafe blöken.
Enten;Enten fressen Pflanzen und Insekten.;Enten leben an Seen und Flüssen.;Enten quaken.
Bienen;Bienen fressen Honig.;Bienen leben in einem Bienenstock.;Bienen summen.
Elefanten;Elefanten fressen Gras und Blätter.;Elefanten leben in Afrika und Asien.;Elefanten trompeten.
"""
EAT_QUESTIONS = ["Was fressen {x}?", "Sag mir, was {x} fressen.", "Was essen {x}?"]
LIVE_QUESTIONS = ["Wo leben {x}?", "Sag mir, wo {x} leben."]
SOUND_QUESTIONS = ["Was für ein Geräusch machen {x}?", "Wie klingen {x}?"]

LANGUAGE_NAMES = {"en": "Englisch", "fr": "Französisch", "de": "Deutsch", "es": "Spanisch", "it": "Italienisch"}
WORDS = "Hund Katze Haus Wasser Brot Sonne Mond Buch Freund Baum Blume Apfel Pferd Schule Mutter Vater Tag Nacht hallo bitte ja nein rot blau grün"
TRANSLATE_QUESTIONS = [
    "Wie sagt man „{w}“ auf {l}?",
    "Was heißt „{w}“ auf {l}?",
    "Übersetze „{w}“: Wie heißt das auf {l}?",
]
TRANSLATE_ANSWER = "Auf {l} heißt „{w}“ „{v}“."

NAME_SAYINGS = ["Ich heiße {n}.", "Mein Name ist {n}.", "Hallo, ich bin {n}.", "Ich bin {n}."]
NAME_ANSWERS = ["Hallo, {n}! Schön, dich kennenzulernen.", "Freut mich, {n}! Wie kann ich dir helfen?"]
NAME_QUESTIONS = ["Wie heiße ich?", "Was ist mein Name?", "Weißt du, wie ich heiße?"]
NAME_RECALL = "Du heißt {n}."
SAY_HELLO = ("Sag hallo zu {n}.", "Hallo, {n}!")

POEM_REQUESTS = ["Schreib (mir |)ein (|kurzes |kleines )Gedicht.", "Kannst du ein Gedicht schreiben?", "Sag mir ein Gedicht."]
POEMS = [
    "Die Sonne geht, der Tag ist aus,\nnun gehen alle Kinder nach Haus.\nDer Mond ist da, die Nacht ist still,\nweil jetzt die Erde schlafen will.",
    "Ein kleiner Vogel saß im Baum,\ner sang so schön, man glaubt es kaum.\nEr sang vom Frühling und vom Mai,\ndann flog er fort und war ganz frei.",
    "Der Regen fällt auf Stadt und Land,\nich halte fest an deiner Hand.\nIm Haus ist Licht, im Haus ist Ruh,\nich mache meine Augen zu.",
]

CHAT = """
Hallo.|Hallo!|Hi!|Guten Tag.|Guten Tag!|Guten Morgen!|Guten Abend.|Servus! => Hallo! Wie kann ich dir helfen?|Hallo! Schön, mit dir zu reden. Wie kann ich dir helfen?
Wie geht es dir?|Wie geht es dir heute?|Wie geht's?|Hallo, wie geht es dir?|Wie geht es Ihnen? => Mir geht es gut, danke. Und dir?|Mir geht es sehr gut, danke. Wie geht es dir?
Mir geht es gut.|Mir geht es gut, danke.|Sehr gut, danke.|Gut, danke. => Das freut mich. Worüber möchtest du reden?
Wer bist du?|Was bist du?|Wie heißt du?|Wie ist dein Name?|Erzähl mir von dir.|Bist du ein Roboter?|Stell dich vor. => Ich bin Octet, ein sehr kleines Sprachmodell. Ich erzähle Geschichten und beantworte einfache Fragen.
Was kannst du?|Was kannst du tun?|Kannst du mir helfen?|Hilf mir.|Wie kannst du mir helfen? => Ich kann kurze Geschichten erzählen, einfache Fragen beantworten, zählen und einige Wörter übersetzen.
Welche Sprachen sprichst du?|Sprichst du Deutsch?|Sprichst du Englisch?|Kannst du Deutsch? => Ich spreche ein wenig Englisch, Französisch, Deutsch, Spanisch und Italienisch.
Danke.|Danke!|Vielen Dank.|Vielen Dank!|Danke schön. => Bitte sehr!|Gern geschehen! Möchtest du noch etwas wissen?
Auf Wiedersehen.|Tschüss!|Bis bald.|Gute Nacht.|Bis morgen. => Auf Wiedersehen! Ich wünsche dir einen schönen Tag.|Tschüss! Bis bald.
Ich bin traurig.|Mir geht es schlecht.|Ich bin nicht glücklich.|Ich hatte einen schlechten Tag. => Das tut mir leid. Vielleicht hilft ein Spaziergang oder ein Freund.
Ich bin glücklich.|Ich freue mich.|Ich hatte einen guten Tag. => Das ist wunderbar! Ich freue mich für dich.
Ich bin müde.|Ich bin so müde.|Ich möchte schlafen. => Dann solltest du dich ausruhen. Schlaf gut!
Ich habe Hunger.|Was soll ich essen?|Was kann ich kochen?|Ich bin hungrig. => Du kannst Brot mit Käse essen oder eine warme Suppe kochen.
Ich habe Durst.|Was soll ich trinken? => Du kannst ein Glas Wasser oder eine Tasse Tee trinken.
Mir ist langweilig.|Was soll ich tun?|Was kann ich heute machen? => Du kannst ein Buch lesen, spazieren gehen oder einen Freund anrufen.
Mir ist kalt.|Es ist so kalt. => Du kannst einen warmen Mantel anziehen und heißen Tee trinken.
Wie ist das Wetter?|Wie ist das Wetter heute?|Regnet es? => Ich kann das Wetter nicht sehen, aber ich hoffe, dass die Sonne scheint.
Wie spät ist es?|Wie viel Uhr ist es?|Welcher Tag ist heute? => Ich habe keine Uhr, darum weiß ich das nicht.
Magst du Musik?|Magst du Bücher?|Magst du Tiere? => Ich bin nur ein kleines Modell, aber ich finde das sehr schön.
Was ist deine Lieblingsfarbe?|Welche Farbe magst du? => Ich mag Blau, wie den Himmel und das Meer.
Was ist dein Lieblingstier?|Welches Tier magst du? => Ich mag Katzen, denn sie sind weich und klug.
Wie alt bist du?|Wann bist du geboren? => Ich bin sehr jung. Ich bin ein neues und kleines Modell.
Wo wohnst du?|Wo bist du?|Woher kommst du? => Ich wohne in einem Computer. Acht Experten arbeiten zusammen, damit ich sprechen kann.
Bist du ein Mensch?|Bist du eine Person?|Lebst du? => Nein, ich bin kein Mensch. Ich bin ein kleines Sprachmodell.
Liebst du mich?|Bist du mein Freund?|Können wir Freunde sein? => Ich bin nur ein kleines Modell, aber ich rede gern mit dir.
Was ist ein Sprachmodell?|Wie funktionierst du? => Ein Sprachmodell lernt aus Texten und schreibt ein Wort nach dem anderen. Ich habe acht Experten, und zwei arbeiten an jedem Wort.
Was ist Octet? => Octet ist ein Programm, das ein Sprachmodell mit acht Experten betreibt. Jeder Experte ist ein kleiner Dienst.
Erzähl mir einen Witz.|Kennst du einen Witz?|Bring mich zum Lachen. => Warum ist das Buch so traurig? Weil es so viele Probleme hat!|Was ist ein Bär im Regen? Ein nasser Bär!
Wie viele Tage hat eine Woche? => Eine Woche hat sieben Tage.
Wie viele Monate hat ein Jahr? => Ein Jahr hat zwölf Monate.
Wie viele Stunden hat ein Tag? => Ein Tag hat vierundzwanzig Stunden.
Wie viele Beine hat ein Hund?|Wie viele Beine hat eine Katze?|Wie viele Beine hat ein Pferd? => Es sind vier Beine.
Wie heißen die Tage der Woche?|Nenne die Tage der Woche.|Nenne die Wochentage. => Die Tage der Woche sind Montag, Dienstag, Mittwoch, Donnerstag, Freitag, Samstag und Sonntag.
Wie heißen die Jahreszeiten?|Nenne die vier Jahreszeiten. => Die vier Jahreszeiten sind Frühling, Sommer, Herbst und Winter.
Nenne drei Tiere.|Nenne mir drei Tiere. => Drei Tiere sind der Hund, die Katze und das Pferd.
Nenne drei Farben.|Nenne mir drei Farben. => Drei Farben sind Rot, Blau und Grün.
Nenne drei Früchte.|Nenne mir drei Früchte. => Drei Früchte sind der Apfel, die Birne und die Banane.
Was brauchen Pflanzen?|Was braucht eine Pflanze? => Pflanzen brauchen Wasser, Licht und Luft.
Warum ist der Himmel blau? => Der Himmel ist blau, weil die Luft blaues Licht stärker streut als andere Farben.
Warum schlafen wir?|Warum müssen Menschen schlafen? => Wir schlafen, weil Körper und Geist Ruhe brauchen.
Was essen Menschen?|Was essen Kinder? => Menschen essen Brot, Obst, Gemüse, Fleisch und Fisch.
Was ist das größte Tier?|Welches Tier ist am größten? => Der Blauwal ist das größte Tier der Welt.
Was ist der höchste Berg?|Welcher Berg ist am höchsten? => Der Mount Everest ist der höchste Berg der Welt.
Ja.|Ja, bitte.|Gut.|In Ordnung. => Gut! Was möchtest du wissen?
Nein.|Nein, danke. => In Ordnung. Frag mich, wenn du etwas brauchst.
"""
UNKNOWN_FRAMES = ["Wer war {x}?", "Wie funktioniert {x}?", "Erkläre {x}.", "Was denkst du über {x}?", "Schreib einen Aufsatz über {x}.", "Warum ist {x} wichtig?", "Was weißt du über {x}?", "Wie lernt man {x}?", "Kannst du mir {x} erklären?", "Sag mir alles über {x}."]
UNKNOWN_TOPICS = "Schwerkraft;Wirtschaft;Quantenphysik;Demokratie;Napoleon;Albert Einstein;Shakespeare;Julius Cäsar;Mozart;Philosophie;Fußball;Schach;Jura;das Internet;Elektrizität;die Börse;Chemie;die Französische Revolution;Mathematik;ein schwarzes Loch;die Evolution;Energie;das Gehirn;Politik;Religion;Krieg;Picasso;Kleopatra;das Universum;Medizin;die Relativitätstheorie;ein Motor;das Parlament;Steuern;die Oper;Biologie;ein Vulkan;Platon;Newton;Beethoven;das Römische Reich;Lyrik;Kino;Tennis"
UNKNOWN_ANSWERS = [
    "Ich bin ein sehr kleines Modell und weiß das nicht. Frag mich nach einer Geschichte, nach Tieren, Farben oder Hauptstädten.",
    "Es tut mir leid, davon weiß ich nicht viel. Ich kann eine Geschichte erzählen oder einfache Fragen beantworten.",
]
SYSTEM = ["Du bist ein hilfreicher Assistent.", "Antworte auf Deutsch.", "Du bist Octet."]
CODE_REQUESTS = {
    "hello": ["Schreib hallo in Python.", "Schreib ein Python-Programm, das hallo sagt."],
    "add": ["Schreib eine Python-Funktion, die zwei Zahlen addiert."],
    "loop": ["Schreib eine Python-Schleife, die bis zehn zählt."],
}
CODE_INTRO = ["Hier ist der Code:"]
CODE_WORDS = ("Hallo!", "Apfel", "Birne", "Banane")
