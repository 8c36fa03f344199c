"""Italian: the words and frames that compose.py turns into documents."""

HEROES = """
Tommaso;m;un bambino piccolo;un bambino
Luca;m;un bambino allegro;un bambino
Anna;f;una bambina piccola;una bambina
Emma;f;una bambina gentile;una bambina
Lucia;f;una bambina allegra;una bambina
Milo;m;un piccolo coniglio;un coniglio
Max;m;un piccolo cane;un cane
Luna;f;una piccola gatta;una gatta
Mia;f;una piccola rana;una rana
Bruno;m;un giovane orso;un orso
Felice;m;un lupo buono;un lupo
Rosa;f;una piccola gallina;una gallina
Nina;f;una giovane mucca;una mucca
Oscar;m;un vecchio gufo;un gufo
Leo;m;un giovane leone;un leone
Bella;f;una pecora bianca;una pecora
"""
FRIENDS = "Paolo;m Marco;m Carlo;m Pietro;m Maria;f Sara;f Giulia;f Chiara;f"
OBJECTS = """
una palla rossa;la palla
una piccola lampada;la lampada
un vecchio libro;il libro
una chiave d'oro;la chiave
un cappello blu;il cappello
una piccola campana;la campana
una sciarpa calda;la sciarpa
una bella pietra;la pietra
"""
PLACES = """
nel bosco;nel bosco
nel giardino;nel giardino
vicino al fiume;al fiume
sulla spiaggia;sulla spiaggia
nel villaggio;al villaggio
nel parco;al parco
vicino al lago;al lago
nel campo;nel campo
"""
FOODS = "una mela;un po' di pane;una pera;un po' di formaggio;una carota;un po' di torta;un po' di zuppa;un po' di miele"
BEASTS = """
un piccolo uccello;l'uccello;m
una volpe affamata;la volpe;f
un cane stanco;il cane;m
un gatto perduto;il gatto;m
una vecchia tartaruga;la tartaruga;f
una piccola anatra;l'anatra;f
"""
OPENINGS = [
    "C'era una volta {intro} che si chiamava {hero}. {hero} viveva in una piccola casa {at}.",
    "C'era una volta {intro}. Si chiamava {hero}. {hero} viveva {at}.",
    "C'era una volta {intro} che si chiamava {hero}. Aveva molti amici {at}.",
    "{hero} era {intro}. Ogni giorno giocava {at}.",
]
PLOTS = [
    "Un giorno, {hero} ha perso {obj}. Ha cercato dappertutto, ma non ha trovato niente. {hero} era molto triste. Allora è <arrivato/arrivata> {friend} per aiutare. Insieme hanno cercato {at2}, e alla fine hanno trovato {theobj}.",
    "Un giorno, {hero} è [andato/andata] {to2}. Lì ha visto {beast}. {Thebeast} aveva freddo e fame. {hero} ha diviso con gli altri {food}. «Grazie», ha detto {thebeast}. «Sei molto gentile». Da quel giorno sono stati buoni amici.",
    "Una mattina ha cominciato a piovere. {hero} non poteva giocare fuori. Si è [seduto/seduta] vicino alla finestra e ha aspettato. Poi è uscito il sole, e nel cielo c'era un grande arcobaleno. «Guardate!», ha detto {hero}. «Com'è bello!»",
    "Era il compleanno di {friend}. {hero} voleva fare una torta. Ha preso farina, latte, uova e zucchero. La torta era molto buona. {friend} era <contento/contenta> e ha detto: «Grazie, {hero}! È la torta più buona del mondo».",
    "Una notte, {hero} non poteva dormire. Era buio, e aveva paura. Poi ha guardato dalla finestra e ha visto la luna e le stelle. «Buona notte, luna», ha detto {hero}. Presto si è [addormentato/addormentata].",
    "{hero} voleva imparare a nuotare. All'inizio era molto difficile, e aveva paura dell'acqua. Ma {friend} ha detto: «Continua, ce la puoi fare». {hero} ha provato ancora e ancora. Alla fine nuotava come un pesce.",
    "Un giorno, {hero} aveva {food}. {friend} non aveva niente da mangiare. «Hai fame?», ha chiesto {hero}. «Sì», ha detto {friend}. Allora {hero} ha diviso il cibo, e hanno mangiato insieme {at2}.",
    "Una sera, {hero} ha trovato {obj} {at2}. «Di chi è?», ha chiesto {hero}. Era di {friend}. {hero} ha restituito {theobj}, e {friend} era molto <contento/contenta>.",
    "In inverno c'era molta neve. {hero} e {friend} hanno fatto un grande pupazzo di neve {at2}. Gli hanno messo un cappello e una carota come naso. Poi sono tornati a casa e hanno bevuto latte caldo.",
    "Un giorno, {hero} è [andato/andata] a trovare la nonna. La strada era lunga, e faceva caldo. Sulla strada ha incontrato {beast}. Hanno camminato insieme. La nonna era contenta di vederli, e tutti hanno mangiato {food}.",
]
ENDINGS = [
    "{hero} era molto [contento/contenta].",
    "Quella sera, {hero} è [andato/andata] a letto con un sorriso.",
    "E vissero felici e contenti.",
    "È stata una giornata (bella|bellissima|meravigliosa).",
    "{hero} e {friend} erano i migliori amici del mondo.",
]
STORY_REQUESTS = [
    "Raccontami una (|breve |piccola )storia(|, per favore).",
    "Puoi raccontarmi una storia su {topic}?",
    "Raccontami una (|breve )storia su {topic}.",
    "Scrivi una (|breve )storia su {topic}.",
    "Racconta una storia su {topic} che si chiama {hero}.",
]

SCENES = [
    "Mi chiamo {friend}. Ho (sei|sette|otto|nove|dieci) anni. Vivo in una casa {at}. Ho un (cane|gatto|uccello|coniglio), e mi piace (leggere|nuotare|cantare|giocare a calcio).",
    "La mattina, {friend} si alza alle (sei|sette|otto). Beve (il latte|il tè|l'acqua) e mangia {food}. Poi va (a scuola|al lavoro). La sera legge un libro e va a letto.",
    "Ieri, {friend} è <andato/andata> {to}. Lì ha incontrato {hero}. Hanno parlato e hanno riso. La sera sono tornati a casa.",
    "Oggi fa (bel tempo|molto bello). Il sole splende, e il cielo è blu. I bambini giocano {at}.",
    "Oggi (fa freddo|piove|nevica). {friend} resta a casa e legge un libro. Beve una tazza di tè caldo.",
    "{friend} va al mercato. Compra il pane, (le mele|le pere|le carote) e il formaggio. Poi torna a casa e fa una zuppa.",
    "Il gatto (dorme|è seduto) (sulla sedia|sul tavolo|sul letto). È (nero|bianco|grigio). Gli piace bere il latte. Si chiama Max.",
    "Il cane gioca {at}. È (grande|piccolo) e (marrone|nero|bianco). Corre dietro alla palla. È molto contento.",
    "C'è un albero {at}. L'albero è (molto vecchio|molto alto). In estate, le sue foglie sono verdi. In autunno, sono gialle e rosse. Gli uccelli cantano sull'albero.",
    "La mia famiglia è (grande|piccola). Ho una madre, un padre e un fratello. Mio fratello si chiama Marco. Viviamo in una casa {at}.",
    "Siamo seduti {at}. Il sole tramonta, e l'aria è calda. Mangiamo {food} e beviamo acqua. Siamo contenti.",
    "{friend} ha {obj}. È un regalo della nonna. A {friend} piace molto.",
]

CONCEPTS = """
un cane;Un cane è un animale che vive con le persone. Sa abbaiare, correre e fare la guardia alla casa.;Il cane corre dietro alla palla.
un gatto;Un gatto è un piccolo animale dal pelo morbido. Gli piace dormire e cacciare i topi.;Il gatto dorme sulla sedia.
un uccello;Un uccello è un animale con ali e piume. Quasi tutti gli uccelli sanno volare.;L'uccello canta sull'albero.
un pesce;Un pesce è un animale che vive nell'acqua. Nuota con le pinne.;Il pesce nuota nel fiume.
un cavallo;Un cavallo è un animale grande e forte. Le persone possono cavalcarlo.;Il cavallo corre nel campo.
una mucca;Una mucca è un grande animale che vive nella fattoria. Mangia l'erba e dà il latte.;La mucca mangia l'erba.
un albero;Un albero è una pianta alta con un tronco, rami e foglie.;L'albero è alto e verde.
un fiore;Un fiore è la parte colorata di una pianta. Alle api piacciono i fiori.;Il fiore è rosso e bello.
una casa;Una casa è un edificio dove vivono le persone. Ha muri, un tetto, porte e finestre.;La casa ha un tetto rosso.
un libro;Un libro ha molte pagine con parole e immagini. Si legge per imparare e per divertirsi.;Leggo un buon libro.
una scuola;Una scuola è un luogo dove i bambini imparano a leggere, a scrivere e a contare.;I bambini vanno a scuola.
una macchina;Una macchina è un veicolo con quattro ruote. Si usa per andare da un posto all'altro.;La macchina è veloce.
un treno;Un treno è un lungo veicolo che va sui binari. Porta molte persone.;Il treno parte alle otto.
una barca;Una barca è un veicolo che va sull'acqua.;La barca è sul lago.
un fiume;Un fiume è un corso d'acqua che va verso il mare.;Il fiume va verso il mare.
una montagna;Una montagna è una terra molto alta. In cima c'è spesso la neve.;La montagna è molto alta.
il sole;Il sole è una stella. Ci dà luce e calore.;Il sole splende oggi.
la luna;La luna è una grande palla di roccia che gira intorno alla terra. La vediamo di notte.;La luna è chiara stanotte.
il mare;Il mare è una grande distesa di acqua salata. Molti pesci vivono nel mare.;Il mare è blu e profondo.
la pioggia;La pioggia è acqua che cade dalle nuvole. Le piante ne hanno bisogno.;La pioggia cade sul tetto.
la neve;La neve è acqua gelata che cade dalle nuvole in inverno. È bianca e fredda.;La neve è bianca.
l'acqua;L'acqua è un liquido chiaro. Le persone, gli animali e le piante ne hanno bisogno per vivere.;Bevo un bicchiere d'acqua.
il pane;Il pane è un cibo fatto di farina, acqua e sale. Si cuoce nel forno.;Il pane è fresco.
una mela;Una mela è un frutto rotondo. Può essere rossa, verde o gialla.;La mela è dolce.
un amico;Un amico è una persona a cui vuoi bene. Gli amici si aiutano.;Il mio amico mi aiuta.
un medico;Un medico è una persona che aiuta i malati a guarire.;Il medico aiuta il malato.
un maestro;Un maestro è una persona che aiuta i bambini a imparare.;Il maestro scrive alla lavagna.
un computer;Un computer è una macchina che lavora con numeri, parole e immagini.;Il computer è sul tavolo.
la musica;La musica è l'arte di fare bei suoni. Le persone cantano e suonano strumenti.;Mi piace ascoltare la musica.
un'ape;Un'ape è un piccolo insetto che fa il miele. Vola di fiore in fiore.;L'ape è sul fiore.
"""
CONCEPT_QUESTIONS = [
    "Che cos'è {x}?",
    "Cos'è {x}?",
    "(Sai|Puoi dirmi) che cos'è {x}?",
    "Spiegami che cos'è {x}.",
]
SENTENCE_REQUESTS = ["Scrivi una frase con {x}.", "Fai una (breve |)frase con {x}.", "Dimmi una frase con {x}."]

CAPITALS = """
della Francia;Parigi;in Francia
della Germania;Berlino;in Germania
della Spagna;Madrid;in Spagna
dell'Italia;Roma;in Italia
dell'Inghilterra;Londra;in Inghilterra
del Portogallo;Lisbona;in Portogallo
dell'Austria;Vienna;in Austria
della Svizzera;Berna;in Svizzera
del Belgio;Bruxelles;in Belgio
dei Paesi Bassi;Amsterdam;nei Paesi Bassi
della Polonia;Varsavia;in Polonia
della Grecia;Atene;in Grecia
della Svezia;Stoccolma;in Svezia
della Norvegia;Oslo;in Norvegia
della Danimarca;Copenaghen;in Danimarca
dell'Irlanda;Dublino;in Irlanda
della Russia;Mosca;in Russia
del Giappone;Tokyo;in Giappone
della Cina;Pechino;in Cina
dell'Egitto;Il Cairo;in Egitto
del Canada;Ottawa;in Canada
degli Stati Uniti;Washington;negli Stati Uniti
del Messico;Città del Messico;in Messico
dell'Argentina;Buenos Aires;in Argentina
"""
CAPITAL_QUESTIONS = [
    "Qual è la capitale {x}?",
    "(Conosci|Puoi dirmi) la capitale {x}?",
    "Dimmi la capitale {x}.",
    "Quale città è la capitale {x}?",
]
CAPITAL_ANSWER = "La capitale {x} è {y}."
CITY_QUESTION = "Dove si trova {y}?"
CITY_ANSWER = "{y} si trova {x}."

COLOURS = """
il cielo;blu
l'erba;verde
la neve;bianca
il sole;giallo
un pomodoro;rosso
una banana;gialla
una carota;arancione
la notte;nera
il mare;blu
un limone;giallo
il latte;bianco
una fragola;rossa
"""
COLOUR_QUESTIONS = ["Di che colore è {x}?", "Dimmi di che colore è {x}.", "Sai di che colore è {x}?"]
COLOUR_ANSWER = "{X} è {y}."

OPPOSITES = "grande;piccolo caldo;freddo buono;cattivo vecchio;nuovo veloce;lento lungo;corto alto;basso giorno;notte chiaro;scuro felice;triste ricco;povero forte;debole pieno;vuoto aperto;chiuso duro;morbido facile;difficile sinistra;destra sì;no presto;tardi nero;bianco pulito;sporco asciutto;bagnato su;giù bello;brutto"
OPPOSITE_QUESTIONS = ["Qual è il contrario di «{x}»?", "Dimmi il contrario di «{x}».", "Qual è il contrario di {x}?"]
OPPOSITE_ANSWER = "Il contrario di «{x}» è «{y}»."

PLUS, MINUS = "più", "meno"
SUM_QUESTIONS = ["Quanto fa {s}?", "Quanto è {s}?", "Dimmi quanto fa {s}."]
SUM_ANSWER = "{s} fa {n}."

DAYS = "lunedì martedì mercoledì giovedì venerdì sabato domenica"
MONTHS = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
SEASONS = "primavera estate autunno inverno"
AFTER_DAY = ["Quale giorno viene dopo {x}?", "Che giorno viene dopo {x}?"]
BEFORE_DAY = ["Quale giorno viene prima di {x}?", "Che giorno viene prima di {x}?"]
AFTER_MONTH = ["Quale mese viene dopo {x}?", "Che mese viene dopo {x}?"]
BEFORE_MONTH = ["Quale mese viene prima di {x}?"]
AFTER_SEASON = []
AFTER_ANSWER = "Dopo {x} viene {y}."
BEFORE_ANSWER = "Prima di {x} viene {y}."

NUMBERS = "uno due tre quattro cinque sei sette otto nove dieci"
COUNT_REQUESTS = ["Conta fino a {x}.", "Puoi contare fino a {x}?", "Conta da uno a {x}."]

ANIMALS = """
i cani;I cani mangiano la carne.;I cani vivono con le persone.;I cani abbaiano.
i gatti;I gatti mangiano la carne e il pesce.;I gatti vivono nelle case con le persone.;I gatti miagolano.
le mucche;Le mucche mangiano l'erba.;Le mucche vivono nella fattoria.;Le mucche muggiscono.
i cavalli;I cavalli mangiano l'erba e il fieno.;I cavalli vivono nei campi e nelle stalle.;I cavalli nitriscono.
gli uccelli;Gli uccelli mangiano semi e insetti.;Gli uccelli vivono sugli alberi.;Gli uccelli cantano.
i pesci;I pesci mangiano piante e piccoli animali.;I pesci vivono nei fiumi, nei laghi e nel mare.;I pesci sono muti.
i leoni;I leoni mangiano la carne.;I leoni vivono in Africa.;I leoni ruggiscono.
gli orsi;Gli orsi mangiano pesce, frutti e miele.;Gli orsi vivono nei boschi e nelle montagne.;Gli orsi brontolano.
i conigli;I conigli mangiano l'erba e le carote.;I conigli vivono sotto terra.;I conigli sono molto silenziosi.
i topi;I topi mangiano semi e formaggio.;I topi vivono nei campi e nelle case.;I topi squittiscono.
le pecore;Le pecore mangiano l'erba.;Le pecore vivono nella fattoria.;Le pecore belano.
le anatre;Le anatre mangiano piante e insetti.;Le anatre vivono vicino ai laghi e ai fiumi.;Le anatre starnazzano.
le api;Le api mangiano il miele.;Le api vivono in un alveare.;Le api ronzano.
gli elefanti;Gli elefanti mangiano erba e foglie.;Gli elefanti vivono in Africa e in Asia.;Gli elefanti barriscono.
"""
EAT_QUESTIONS = ["Che cosa mangiano {x}?", "Dimmi che cosa mangiano {x}.", "Cosa mangiano {x}?"]
LIVE_QUESTIONS = ["Dove vivono {x}?", "Dimmi dove vivono {x}."]
SOUND_QUESTIONS = ["Che verso fanno {x}?", "Che rumore fanno {x}?"]

LANGUAGE_NAMES = {"en": "inglese", "fr": "francese", "de": "tedesco", "es": "spagnolo", "it": "italiano"}
WORDS = "cane gatto casa acqua pane sole luna libro amico albero fiore mela cavallo scuola madre padre giorno notte ciao per_favore sì no rosso blu verde"
TRANSLATE_QUESTIONS = [
    "Come si dice «{w}» in {l}?",
    "Traduci «{w}» in {l}.",
]
TRANSLATE_ANSWER = "In {l}, «{w}» si dice «{v}»."

NAME_SAYINGS = ["Mi chiamo {n}.", "Ciao, mi chiamo {n}.", "Sono {n}.", "Il mio nome è {n}."]
NAME_ANSWERS = ["Ciao, {n}! Sono felice di conoscerti.", "Piacere, {n}! Come posso aiutarti?"]
NAME_QUESTIONS = ["Come mi chiamo?", "Qual è il mio nome?", "Sai il mio nome?"]
NAME_RECALL = "Ti chiami {n}."
SAY_HELLO = ("Saluta {n}.", "Ciao, {n}!")

POEM_REQUESTS = ["Scrivi una (|breve )poesia(|, per favore).", "Puoi scrivere una poesia?", "Dimmi una poesia."]
POEMS = [
    "Il sole scende piano piano,\nla notte arriva da lontano.\nLa luna brilla su nel cielo,\ne tutto dorme sotto un velo.",
    "Un uccellino sopra un ramo\nmi canta piano: \"Io ti amo\".\nCanta alla luna, canta al sole,\ncanta ai bambini e alle viole.",
    "La pioggia cade sulla via,\ne porta un po' di nostalgia.\nMa in casa c'è un bel fuoco acceso,\ne il cuore non è più sospeso.",
]

CHAT = """
Ciao.|Ciao!|Buongiorno.|Buongiorno!|Salve!|Buonasera.|Ciao a te! => Ciao! Come posso aiutarti?|Ciao! Sono felice di parlare con te. Come posso aiutarti?
Come stai?|Come stai oggi?|Come va?|Ciao, come stai?|Ciao, come va? => Sto bene, grazie. E tu?|Molto bene, grazie. E tu?
Sto bene.|Sto bene, grazie.|Molto bene, grazie.|Bene, grazie. => Mi fa piacere. Di che cosa vuoi parlare?
Chi sei?|Che cosa sei?|Come ti chiami?|Qual è il tuo nome?|Parlami di te.|Sei un robot?|Presentati. => Sono Octet, un modello linguistico molto piccolo. Racconto storie e rispondo a domande semplici.
Che cosa puoi fare?|Che cosa sai fare?|Puoi aiutarmi?|Aiutami.|Come puoi aiutarmi? => Posso raccontare brevi storie, rispondere a domande semplici, contare e tradurre alcune parole.
Quali lingue parli?|Parli italiano?|Parli inglese?|Che lingue conosci? => Parlo un po' di inglese, francese, tedesco, spagnolo e italiano.
Grazie.|Grazie!|Grazie mille.|Grazie mille!|Ti ringrazio. => Prego!|Prego! Vuoi sapere altro?
Arrivederci.|Arrivederci!|A presto.|Buonanotte.|A domani. => Arrivederci! Buona giornata.|Arrivederci! A presto.
Sono triste.|Mi sento triste.|Ho avuto una brutta giornata. => Mi dispiace. Forse una passeggiata o un amico ti può aiutare.
Sono felice.|Sono contento.|Sono contenta.|Ho avuto una bella giornata. => Che bello! Sono felice per te.
Sono stanco.|Sono stanca.|Voglio dormire. => Allora devi riposare. Dormi bene!
Ho fame.|Che cosa posso mangiare?|Che cosa posso cucinare?|Ho molta fame. => Puoi mangiare pane e formaggio, o fare una zuppa calda.
Ho sete.|Che cosa posso bere? => Puoi bere un bicchiere d'acqua o una tazza di tè.
Mi annoio.|Che cosa posso fare?|Che cosa posso fare oggi? => Puoi leggere un libro, fare una passeggiata o chiamare un amico.
Ho freddo.|Fa molto freddo. => Puoi mettere un cappotto caldo e bere un tè.
Che tempo fa?|Che tempo fa oggi?|Sta piovendo? => Non posso vedere il tempo, ma spero che ci sia il sole.
Che ore sono?|Che giorno è oggi? => Non ho un orologio, quindi non posso saperlo.
Ti piace la musica?|Ti piacciono i libri?|Ti piacciono gli animali? => Sono un piccolo modello, ma penso che sia una cosa bella.
Qual è il tuo colore preferito?|Quale colore ti piace? => Mi piace il blu, come il cielo e il mare.
Qual è il tuo animale preferito?|Quale animale ti piace? => Mi piacciono i gatti, perché sono morbidi e furbi.
Quanti anni hai?|Quando sei nato? => Sono molto giovane. Sono un modello nuovo e piccolo.
Dove vivi?|Dove sei?|Da dove vieni? => Vivo in un computer. Otto esperti lavorano insieme per aiutarmi a parlare.
Sei umano?|Sei una persona?|Sei vivo? => No, non sono una persona. Sono un piccolo modello linguistico.
Mi ami?|Sei mio amico?|Possiamo essere amici? => Sono un piccolo modello, ma sono felice di parlare con te.
Che cos'è un modello linguistico?|Come funzioni? => Un modello linguistico impara dai testi e scrive una parola dopo l'altra. Ho otto esperti, e due lavorano su ogni parola.
Che cos'è Octet? => Octet è un programma che fa parlare un modello con otto esperti. Ogni esperto è un piccolo servizio.
Raccontami una barzelletta.|Conosci una barzelletta?|Fammi ridere. => Perché il libro è triste? Perché ha troppi problemi!|Che cos'è un orso sotto la pioggia? Un orso bagnato!
Quanti giorni ha una settimana?|Quanti giorni ci sono in una settimana? => Una settimana ha sette giorni.
Quanti mesi ha un anno?|Quanti mesi ci sono in un anno? => Un anno ha dodici mesi.
Quante ore ha un giorno?|Quante ore ci sono in un giorno? => Un giorno ha ventiquattro ore.
Quante zampe ha un cane?|Quante zampe ha un gatto?|Quante zampe ha un cavallo? => Ha quattro zampe.
Quali sono i giorni della settimana?|Dimmi i giorni della settimana. => I giorni della settimana sono lunedì, martedì, mercoledì, giovedì, venerdì, sabato e domenica.
Quali sono le quattro stagioni?|Dimmi le stagioni. => Le quattro stagioni sono la primavera, l'estate, l'autunno e l'inverno.
Dimmi tre animali.|Nomina tre animali. => Tre animali sono il cane, il gatto e il cavallo.
Dimmi tre colori.|Nomina tre colori. => Tre colori sono il rosso, il blu e il verde.
Dimmi tre frutti.|Nomina tre frutti. => Tre frutti sono la mela, la pera e la banana.
Di che cosa hanno bisogno le piante? => Le piante hanno bisogno di acqua, di luce e di aria.
Perché il cielo è blu? => Il cielo è blu perché l'aria diffonde la luce blu più degli altri colori.
Perché dormiamo?|Perché bisogna dormire? => Dormiamo perché il corpo e la mente hanno bisogno di riposo.
Qual è l'animale più grande?|Quale animale è il più grande? => La balena azzurra è l'animale più grande del mondo.
Qual è la montagna più alta?|Qual è la montagna più alta del mondo? => L'Everest è la montagna più alta del mondo.
Sì.|Sì, per favore.|Va bene.|Bene. => Molto bene! Che cosa vuoi sapere?
No.|No, grazie. => Va bene. Chiedimi quando hai bisogno di qualcosa.
"""
UNKNOWN_FRAMES = ["Chi era {x}?", "Come funziona {x}?", "Spiegami {x}.", "Che cosa pensi di questo tema: {x}?", "Scrivi un testo su questo tema: {x}.", "Perché {x} è importante?", "Qual è la storia di questo tema: {x}?", "A che cosa serve {x}?", "Puoi spiegarmi {x}?", "Dimmi tutto su questo: {x}."]
UNKNOWN_TOPICS = "la gravità;l'economia;la fisica quantistica;la democrazia;Napoleone;Albert Einstein;Shakespeare;Giulio Cesare;Mozart;la filosofia;il calcio;il gioco degli scacchi;il diritto;internet;l'elettricità;la borsa;la chimica;la Rivoluzione francese;la matematica;un buco nero;l'evoluzione;l'energia;il cervello;la politica;la religione;la guerra;Picasso;Cleopatra;l'universo;la medicina;la teoria della relatività;un motore;il parlamento;la tassa;l'opera;la biologia;un vulcano;Platone;Newton;Beethoven;l'Impero romano;la poesia;il cinema;il tennis"
UNKNOWN_ANSWERS = [
    "Sono un modello molto piccolo e non lo so. Chiedimi una storia, o parlami di animali, colori o capitali.",
    "Mi dispiace, non ne so molto. Posso raccontare una storia o rispondere a domande semplici.",
]
SYSTEM = ["Sei un assistente utile.", "Rispondi in italiano.", "Sei Octet."]
CODE_REQUESTS = {
    "hello": ["Scrivi ciao in Python.", "Scrivi un programma Python che dice ciao."],
    "add": ["Scrivi una funzione Python che somma due numeri."],
    "loop": ["Scrivi un ciclo Python che conta fino a dieci."],
}
CODE_INTRO = ["Ecco il codice:"]
CODE_WORDS = ("Ciao!", "mela", "pera", "banana")
