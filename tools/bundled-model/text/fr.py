"""French: the words and frames that compose.py turns into documents."""

HEROES = """
Tom;m;un petit garçon;un garçon
Hugo;m;un jeune garçon;un garçon
Anna;f;une petite fille;une fille
Emma;f;une jeune fille;une fille
Lucie;f;une gentille fille;une fille
Milo;m;un petit lapin;un lapin
Max;m;un petit chien;un chien
Luna;f;une petite chatte;une chatte
Mia;f;une petite souris;une souris
Bruno;m;un jeune ours;un ours
Félix;m;un renard malin;un renard
Rosa;f;une petite poule;une poule
Nina;f;une petite grenouille;une grenouille
Oscar;m;un vieux hibou;un hibou
Léo;m;un jeune lion;un lion
Bella;f;une jument blanche;une jument
"""
FRIENDS = "Paul;m Jean;m Marc;m Pierre;m Marie;f Sara;f Julie;f Claire;f"
OBJECTS = """
un ballon rouge;le ballon
une petite lampe;la lampe
un vieux livre;le livre
une clé en or;la clé
un chapeau bleu;le chapeau
une petite cloche;la cloche
un foulard chaud;le foulard
une belle pierre;la pierre
"""
PLACES = """
dans la forêt;dans la forêt
dans le jardin;dans le jardin
au bord de la rivière;au bord de la rivière
sur la plage;à la plage
au village;au village
dans le parc;dans le parc
au bord du lac;au bord du lac
dans le champ;dans le champ
"""
FOODS = "une pomme;du pain;une poire;du fromage;une carotte;du gâteau;de la soupe;du miel"
BEASTS = """
un petit oiseau;l'oiseau;m
un renard affamé;le renard;m
un chien fatigué;le chien;m
un chat perdu;le chat;m
une vieille tortue;la tortue;f
un petit canard;le canard;m
"""
OPENINGS = [
    "Il était une fois {intro} qui s'appelait {hero}. {hero} habitait dans une petite maison {at}.",
    "Il était une fois {intro}. [Il/Elle] s'appelait {hero}. {hero} habitait {at}.",
    "Il y avait une fois {intro} qui s'appelait {hero}. [Il/Elle] avait beaucoup d'amis {at}.",
    "{hero} était {intro}. Chaque jour, [il/elle] aimait jouer {at}.",
]
PLOTS = [
    "Un jour, {hero} a perdu {obj}. [Il/Elle] a cherché partout, mais [il/elle] n'a rien trouvé. {hero} était très triste. Alors {friend} est <venu/venue> l'aider. Ensemble, ils ont cherché {at2}, et à la fin ils ont trouvé {theobj}.",
    "Un (jour|matin), {hero} est [allé/allée] {to2}. Là, [il/elle] a vu {beast}. {Thebeast} avait froid et faim. {hero} lui a donné {food}. « Merci », a dit {thebeast}. « Tu es très [gentil/gentille]. » Depuis ce jour, ils étaient de bons amis.",
    "Un (jour|matin), il a commencé à pleuvoir. {hero} ne pouvait pas jouer dehors. [Il/Elle] s'est [assis/assise] près de la fenêtre et a attendu. Puis le soleil est revenu, et il y avait un grand arc-en-ciel dans le ciel. « Regardez ! » a dit {hero}. « Comme c'est beau ! »",
    "C'était l'anniversaire de {friend}. {hero} voulait faire un gâteau. [Il/Elle] a pris de la farine, du lait, des œufs et du sucre. Le gâteau était très bon. {friend} était <content/contente> et a dit : « Merci, {hero} ! C'est le meilleur gâteau du monde. »",
    "Une nuit, {hero} ne pouvait pas dormir. Il faisait noir, et [il/elle] avait peur. Puis [il/elle] a regardé par la fenêtre et a vu la lune et les étoiles. « Bonne nuit, la lune », a dit {hero}. Bientôt, [il/elle] dormait.",
    "{hero} voulait apprendre à nager. Au début, c'était très difficile, et [il/elle] avait peur de l'eau. Mais {friend} a dit : « Continue, tu peux le faire ! » {hero} a essayé encore et encore. À la fin, [il/elle] nageait comme un poisson.",
    "Un jour, {hero} avait {food}. {friend} n'avait rien à manger. « Tu as faim ? » a demandé {hero}. « Oui », a dit {friend}. Alors {hero} a partagé, et ils ont mangé ensemble {at2}.",
    "Un (jour|soir), {hero} a trouvé {obj} {at2}. « À qui est-ce ? » a demandé {hero}. C'était à {friend}. {hero} a rendu {theobj}, et {friend} était très <content/contente>.",
    "En hiver, il y avait beaucoup de neige. {hero} et {friend} ont fait un grand bonhomme de neige {at2}. Ils lui ont donné un chapeau et une carotte pour le nez. Puis ils sont rentrés à la maison et ont bu du lait chaud.",
    "Un (jour|matin), {hero} est [allé/allée] voir sa grand-mère. Le chemin était long, et il faisait chaud. En route, [il/elle] a rencontré {beast}. Ils ont marché ensemble. La grand-mère était contente de les voir, et ils ont mangé {food}.",
]
ENDINGS = [
    "{hero} était très [content/contente].",
    "Ce soir-là, {hero} s'est [couché/couchée] avec un sourire.",
    "Et ils vécurent heureux très longtemps.",
    "C'était une (belle|bonne) journée.",
    "{hero} et {friend} étaient les meilleurs amis du monde.",
]
STORY_REQUESTS = [
    "Raconte-moi une (|petite )histoire(|, s'il te plaît).",
    "(Peux-tu|Tu peux) me raconter une histoire sur {topic} ?",
    "Raconte-moi une (|petite )histoire sur {topic}.",
    "Écris une (|petite )histoire sur {topic}.",
    "Raconte une histoire sur {topic} qui s'appelle {hero}.",
]

SCENES = [
    "Je m'appelle {friend}. J'ai (six|sept|huit|neuf|dix) ans. J'habite {at}. J'ai un (chien|chat|oiseau|lapin), et j'aime (lire|nager|chanter|jouer au football).",
    "Le matin, {friend} se lève à (six|sept|huit) heures. <Il/Elle> boit (du lait|du thé|de l'eau) et mange {food}. Puis <il/elle> va (à l'école|au travail). Le soir, <il/elle> lit un livre et va au lit.",
    "Hier, {friend} est <allé/allée> {to}. Là, <il/elle> a rencontré {hero}. Ils ont parlé et ils ont ri. Le soir, ils sont rentrés à la maison.",
    "Aujourd'hui, il fait (beau|très beau). Le soleil brille, et le ciel est bleu. Les enfants jouent {at}.",
    "Aujourd'hui, il (fait froid|pleut|neige). {friend} reste à la maison et lit un livre. <Il/Elle> boit une tasse de thé chaud.",
    "{friend} va au marché. <Il/Elle> achète du pain, des (pommes|poires|carottes) et du fromage. Puis <il/elle> rentre à la maison et fait une soupe.",
    "Le chat (dort|est assis) sur (la chaise|la table|le lit). Il est (noir|blanc|gris). Il aime boire du lait. Il s'appelle {hero}.",
    "Le chien joue {at}. Il est (grand|petit) et (brun|noir|blanc). Il court après le ballon. Il est très content.",
    "Il y a un arbre {at}. L'arbre est (très vieux|très grand). En été, ses feuilles sont vertes. En automne, elles sont jaunes et rouges. Les oiseaux chantent dans l'arbre.",
    "Ma famille est (grande|petite). J'ai une mère, un père et un frère. Mon frère s'appelle Luc. Nous habitons dans une maison {at}.",
    "Nous sommes assis {at}. Le soleil se couche, et l'air est chaud. Nous mangeons {food} et nous buvons de l'eau. Nous sommes heureux.",
    "{friend} a {obj}. C'est un cadeau de sa grand-mère. {friend} l'aime beaucoup.",
]

CONCEPTS = """
un chien;Un chien est un animal qui vit avec les hommes. Il sait courir, aboyer et garder la maison.;Le chien court après le ballon.
un chat;Un chat est un petit animal à la fourrure douce. Il aime dormir et chasser les souris.;Le chat dort sur la chaise.
un oiseau;Un oiseau est un animal qui a des ailes et des plumes. La plupart des oiseaux savent voler.;L'oiseau chante dans l'arbre.
un poisson;Un poisson est un animal qui vit dans l'eau. Il nage avec ses nageoires.;Le poisson nage dans la rivière.
un cheval;Un cheval est un animal grand et fort. On peut monter sur son dos.;Le cheval court dans le champ.
une vache;Une vache est un grand animal qui vit à la ferme. Elle mange de l'herbe et donne du lait.;La vache mange de l'herbe.
un arbre;Un arbre est une grande plante qui a un tronc, des branches et des feuilles.;L'arbre est grand et vert.
une fleur;Une fleur est la partie colorée d'une plante. Les abeilles aiment les fleurs.;La fleur est rouge et belle.
une maison;Une maison est un bâtiment où les gens habitent. Elle a des murs, un toit, des portes et des fenêtres.;La maison a un toit rouge.
un livre;Un livre a beaucoup de pages avec des mots et des images. On le lit pour apprendre et pour s'amuser.;Je lis un bon livre.
une école;Une école est un lieu où les enfants apprennent à lire, à écrire et à compter.;Les enfants vont à l'école.
une voiture;Une voiture est une machine à quatre roues. On la conduit d'un lieu à un autre.;La voiture est rapide.
un train;Un train est un long véhicule qui roule sur des rails. Il transporte beaucoup de gens.;Le train part à huit heures.
un bateau;Un bateau est un véhicule qui se déplace sur l'eau.;Le bateau est sur le lac.
une rivière;Une rivière est un cours d'eau. Son eau va vers la mer.;La rivière va vers la mer.
une montagne;Une montagne est un terrain très haut. Il y a souvent de la neige au sommet.;La montagne est très haute.
le soleil;Le soleil est une étoile. Il nous donne de la lumière et de la chaleur.;Le soleil brille aujourd'hui.
la lune;La lune est une grande boule de pierre qui tourne autour de la terre. On la voit la nuit.;La lune est claire cette nuit.
la mer;La mer est une très grande étendue d'eau salée. Beaucoup de poissons y vivent.;La mer est bleue et profonde.
la pluie;La pluie est de l'eau qui tombe des nuages. Les plantes en ont besoin.;La pluie tombe sur le toit.
la neige;La neige est de l'eau gelée qui tombe des nuages en hiver. Elle est blanche et froide.;La neige est blanche.
l'eau;L'eau est un liquide clair. Les hommes, les animaux et les plantes en ont besoin pour vivre.;Je bois un verre d'eau.
le pain;Le pain est un aliment fait de farine, d'eau et de sel. On le cuit au four.;Le pain est frais.
une pomme;Une pomme est un fruit rond. Elle peut être rouge, verte ou jaune.;La pomme est sucrée.
un ami;Un ami est une personne que l'on aime bien. Les amis s'aident.;Mon ami m'aide.
un médecin;Un médecin est une personne qui aide les malades à guérir.;Le médecin aide le malade.
un professeur;Un professeur est une personne qui aide les autres à apprendre.;Le professeur écrit au tableau.
un ordinateur;Un ordinateur est une machine qui travaille avec des nombres, des mots et des images.;L'ordinateur est sur la table.
la musique;La musique est l'art de faire de beaux sons. On chante et on joue des instruments.;J'aime écouter de la musique.
une abeille;Une abeille est un petit insecte qui fait du miel. Elle vole de fleur en fleur.;L'abeille est sur la fleur.
"""
CONCEPT_QUESTIONS = [
    "Qu'est-ce {qu_x} ?",
    "Qu'est-ce que c'est, {x} ?",
    "C'est quoi, {x} ?",
    "(Peux-tu me dire|Sais-tu) ce que c'est, {x} ?",
    "Explique-moi ce que c'est, {x}.",
]
SENTENCE_REQUESTS = ["Écris une phrase avec {x}.", "Fais une (|petite )phrase avec {x}.", "Donne-moi une phrase avec {x}."]

CAPITALS = """
de la France;Paris;en France
de l'Allemagne;Berlin;en Allemagne
de l'Espagne;Madrid;en Espagne
de l'Italie;Rome;en Italie
de l'Angleterre;Londres;en Angleterre
du Portugal;Lisbonne;au Portugal
de l'Autriche;Vienne;en Autriche
de la Suisse;Berne;en Suisse
de la Belgique;Bruxelles;en Belgique
des Pays-Bas;Amsterdam;aux Pays-Bas
de la Pologne;Varsovie;en Pologne
de la Grèce;Athènes;en Grèce
de la Suède;Stockholm;en Suède
de la Norvège;Oslo;en Norvège
du Danemark;Copenhague;au Danemark
de l'Irlande;Dublin;en Irlande
de la Russie;Moscou;en Russie
du Japon;Tokyo;au Japon
de la Chine;Pékin;en Chine
de l'Égypte;Le Caire;en Égypte
du Canada;Ottawa;au Canada
des États-Unis;Washington;aux États-Unis
du Mexique;Mexico;au Mexique
de l'Argentine;Buenos Aires;en Argentine
"""
CAPITAL_QUESTIONS = [
    "Quelle est la capitale {x} ?",
    "(Connais-tu|Peux-tu me dire) la capitale {x} ?",
    "Dis-moi la capitale {x}.",
    "Quelle ville est la capitale {x} ?",
]
CAPITAL_ANSWER = "La capitale {x} est {y}."
CITY_QUESTION = "Où se trouve {y} ?"
CITY_ANSWER = "{y} se trouve {x}."

COLOURS = """
le ciel;bleu
l'herbe;verte
la neige;blanche
le soleil;jaune
une tomate;rouge
une banane;jaune
une carotte;orange
la nuit;noire
la mer;bleue
un citron;jaune
le lait;blanc
une fraise;rouge
"""
COLOUR_QUESTIONS = ["De quelle couleur est {x} ?", "Quelle est la couleur de ceci : {x} ?", "Dis-moi de quelle couleur est {x}."]
COLOUR_ANSWER = "{X} est {y}."

OPPOSITES = "grand;petit chaud;froid bon;mauvais vieux;jeune rapide;lent long;court haut;bas jour;nuit clair;sombre heureux;triste riche;pauvre fort;faible plein;vide ouvert;fermé dur;mou facile;difficile gauche;droite oui;non tôt;tard noir;blanc propre;sale sec;mouillé beau;laid"
OPPOSITE_QUESTIONS = ["Quel est le contraire de « {x} » ?", "Dis-moi le contraire de « {x} ».", "Donne-moi le contraire de {x}."]
OPPOSITE_ANSWER = "Le contraire de « {x} » est « {y} »."

PLUS, MINUS = "plus", "moins"
SUM_QUESTIONS = ["Combien font {s} ?", "{s}, ça fait combien ?"]
SUM_ANSWER = "{s} font {n}."

DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche"
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
SEASONS = "printemps été automne hiver"
AFTER_DAY = ["Quel jour vient après {x} ?", "Quel est le jour après {x} ?"]
BEFORE_DAY = ["Quel jour vient avant {x} ?", "Quel est le jour avant {x} ?"]
AFTER_MONTH = ["Quel mois vient après {x} ?", "Quel est le mois après {x} ?"]
BEFORE_MONTH = ["Quel mois vient avant {x} ?"]
AFTER_SEASON = []
AFTER_ANSWER = "{Y} vient après {x}."
BEFORE_ANSWER = "{Y} vient avant {x}."

NUMBERS = "un deux trois quatre cinq six sept huit neuf dix"
COUNT_REQUESTS = ["Compte jusqu'à {x}.", "Peux-tu compter jusqu'à {x} ?", "Compte de un à {x}."]

ANIMALS = """
les chiens;Les chiens mangent de la viande.;Les chiens vivent avec les hommes.;Les chiens aboient.
les chats;Les chats mangent de la viande et du poisson.;Les chats vivent dans les maisons avec les gens.;Les chats miaulent.
les vaches;Les vaches mangent de l'herbe.;Les vaches vivent à la ferme.;Les vaches meuglent.
les chevaux;Les chevaux mangent de l'herbe et du foin.;Les chevaux vivent dans les champs.;Les chevaux hennissent.
les oiseaux;Les oiseaux mangent des graines et des insectes.;Les oiseaux vivent dans les arbres.;Les oiseaux chantent.
les poissons;Les poissons mangent des plantes et de petits animaux.;Les poissons vivent dans les rivières, les lacs et la mer.;Les poissons ne font pas de bruit.
les lions;Les lions mangent de la viande.;Les lions vivent en Afrique.;Les lions rugissent.
les ours;Les ours mangent du poisson, des baies et du miel.;Les ours vivent dans les forêts et les montagnes.;Les ours grognent.
les lapins;Les lapins mangent de l'herbe et des carottes.;Les lapins vivent dans des terriers.;Les lapins sont très silencieux.
les souris;Les souris mangent des graines et du fromage.;Les souris vivent dans les champs et les maisons.;Les souris couinent.
les moutons;Les moutons mangent de l'herbe.;Les moutons vivent à la ferme.;Les moutons bêlent.
les canards;Les canards mangent des plantes et des insectes.;Les canards vivent au bord des lacs et des rivières.;Les canards cancanent.
les abeilles;Les abeilles mangent du miel.;Les abeilles vivent dans une ruche.;Les abeilles bourdonnent.
les éléphants;Les éléphants mangent de l'herbe et des feuilles.;Les éléphants vivent en Afrique et en Asie.;Les éléphants barrissent.
"""
EAT_QUESTIONS = ["Que mangent {x} ?", "Dis-moi ce que mangent {x}.", "Qu'est-ce que mangent {x} ?"]
LIVE_QUESTIONS = ["Où vivent {x} ?", "Dis-moi où vivent {x}."]
SOUND_QUESTIONS = ["Quel bruit font {x} ?", "Quel est le cri que font {x} ?"]

LANGUAGE_NAMES = {"en": "anglais", "fr": "français", "de": "allemand", "es": "espagnol", "it": "italien"}
WORDS = "chien chat maison eau pain soleil lune livre ami arbre fleur pomme cheval école mère père jour nuit bonjour s'il_vous_plaît oui non rouge bleu vert"
TRANSLATE_QUESTIONS = [
    "Comment dit-on « {w} » en {l} ?",
    "Traduis « {w} » en {l}.",
]
TRANSLATE_ANSWER = "En {l}, « {w} » se dit « {v} »."

NAME_SAYINGS = ["Je m'appelle {n}.", "Bonjour, je m'appelle {n}.", "Je suis {n}.", "Mon nom est {n}."]
NAME_ANSWERS = ["Bonjour, {n} ! Je suis content de te connaître.", "Enchanté, {n} ! Comment puis-je t'aider ?"]
NAME_QUESTIONS = ["Comment je m'appelle ?", "Quel est mon nom ?", "Connais-tu mon nom ?"]
NAME_RECALL = "Tu t'appelles {n}."
SAY_HELLO = ("Dis bonjour à {n}.", "Bonjour, {n} !")

POEM_REQUESTS = ["Écris(|-moi) un (|petit )poème(|, s'il te plaît).", "Peux-tu écrire un poème ?", "Récite un poème."]
POEMS = [
    "Le soleil s'en va doucement,\nLa nuit arrive lentement.\nLa lune brille dans le ciel,\nEt tout le monde a le sommeil.",
    "Un petit oiseau dans le vent\nChante une chanson au printemps.\nIl chante pour toi et pour moi,\nEt puis il s'envole du toit.",
    "La pluie tombe sur le chemin,\nLes fleurs dorment dans le jardin.\nMais dans ma maison il fait bon,\nEt je chante une chanson.",
]

CHAT = """
Bonjour.|Bonjour !|Salut !|Salut.|Bonsoir.|Coucou !|Bonjour à toi ! => Bonjour ! Comment puis-je t'aider ?|Bonjour ! Je suis content de te parler. Comment puis-je t'aider ?
Comment vas-tu ?|Ça va ?|Comment ça va ?|Bonjour, comment vas-tu ?|Comment allez-vous ?|Salut, ça va ? => Je vais bien, merci. Et toi ?|Ça va très bien, merci. Et toi ?
Je vais bien.|Je vais bien, merci.|Ça va bien.|Très bien, merci. => J'en suis content. De quoi veux-tu parler ?
Qui es-tu ?|Comment t'appelles-tu ?|Quel est ton nom ?|Parle-moi de toi.|Tu es un robot ?|Qui êtes-vous ?|Présente-toi. => Je suis Octet, un tout petit modèle de langue. Je raconte des histoires et je réponds à des questions simples.
Que peux-tu faire ?|Que sais-tu faire ?|Peux-tu m'aider ?|Aide-moi.|Qu'est-ce que tu sais faire ? => Je peux raconter de petites histoires, répondre à des questions simples, compter et traduire quelques mots.
Quelles langues parles-tu ?|Parles-tu français ?|Tu parles français ?|Parles-tu anglais ? => Je parle un peu anglais, français, allemand, espagnol et italien.
Merci.|Merci !|Merci beaucoup.|Merci bien.|Je te remercie. => De rien !|De rien ! Veux-tu autre chose ?
Au revoir.|Au revoir !|À bientôt.|Bonne nuit.|À demain. => Au revoir ! Bonne journée.|Au revoir ! À bientôt.
Je suis triste.|Je me sens triste.|J'ai passé une mauvaise journée. => J'en suis désolé. Une promenade ou un ami peut aider.
Je suis content.|Je suis contente.|Je suis heureux.|J'ai passé une bonne journée. => C'est merveilleux ! Je suis content pour toi.
Je suis fatigué.|Je suis fatiguée.|Je veux dormir. => Alors il faut te reposer. Dors bien !
J'ai faim.|Que dois-je manger ?|Que puis-je cuisiner ?|J'ai très faim. => Tu peux manger du pain et du fromage, ou faire une bonne soupe.
J'ai soif.|Que dois-je boire ? => Tu peux boire un verre d'eau ou une tasse de thé.
Je m'ennuie.|Que dois-je faire ?|Que puis-je faire aujourd'hui ? => Tu peux lire un livre, faire une promenade ou appeler un ami.
J'ai froid.|Il fait froid. => Tu peux mettre un manteau chaud et boire du thé.
Quel temps fait-il ?|Est-ce qu'il pleut ?|Comment est le temps aujourd'hui ? => Je ne vois pas le temps, mais j'espère que le soleil brille.
Quelle heure est-il ?|Quel jour sommes-nous ? => Je n'ai pas d'horloge, donc je ne peux pas le savoir.
Aimes-tu la musique ?|Aimes-tu les livres ?|Aimes-tu les animaux ? => Je suis un petit modèle, mais je trouve cela très beau.
Quelle est ta couleur préférée ?|Quelle couleur aimes-tu ? => J'aime le bleu, comme le ciel et la mer.
Quel est ton animal préféré ?|Quel animal aimes-tu ? => J'aime les chats, car ils sont doux et malins.
Quel âge as-tu ?|Quand es-tu né ? => Je suis très jeune. Je suis un petit modèle tout neuf.
Où habites-tu ?|Où es-tu ?|D'où viens-tu ? => J'habite dans un ordinateur. Huit experts travaillent ensemble pour m'aider à parler.
Es-tu humain ?|Es-tu une personne ?|Es-tu vivant ? => Non, je ne suis pas une personne. Je suis un petit modèle de langue.
Tu m'aimes ?|Es-tu mon ami ?|Veux-tu être mon ami ? => Je suis un petit modèle, mais je suis content de te parler.
Qu'est-ce qu'un modèle de langue ?|Comment fonctionnes-tu ? => Un modèle de langue apprend avec des textes et écrit un mot après l'autre. J'ai huit experts, et deux travaillent sur chaque mot.
Qu'est-ce que Octet ?|C'est quoi, Octet ? => Octet est un programme qui fait parler un modèle avec huit experts. Chaque expert est un petit service.
Raconte-moi une blague.|Connais-tu une blague ?|Fais-moi rire. => Pourquoi le livre est-il triste ? Parce qu'il a trop de problèmes !|Que dit un ours sous la pluie ? Je suis mouillé !
Combien de jours y a-t-il dans une semaine ?|Combien de jours a une semaine ? => Une semaine a sept jours.
Combien de mois y a-t-il dans une année ?|Combien de mois a une année ? => Une année a douze mois.
Combien d'heures y a-t-il dans un jour ?|Combien d'heures a un jour ? => Un jour a vingt-quatre heures.
Combien de pattes a un chien ?|Combien de pattes a un chat ?|Combien de pattes a un cheval ? => Il a quatre pattes.
Quels sont les jours de la semaine ?|Dis-moi les jours de la semaine. => Les jours de la semaine sont lundi, mardi, mercredi, jeudi, vendredi, samedi et dimanche.
Quelles sont les quatre saisons ?|Dis-moi les saisons. => Les quatre saisons sont le printemps, l'été, l'automne et l'hiver.
Donne-moi trois animaux.|Nomme trois animaux. => Voici trois animaux : le chien, le chat et le cheval.
Donne-moi trois couleurs.|Nomme trois couleurs. => Voici trois couleurs : le rouge, le bleu et le vert.
Donne-moi trois fruits.|Nomme trois fruits. => Voici trois fruits : la pomme, la poire et la banane.
De quoi les plantes ont-elles besoin ? => Les plantes ont besoin d'eau, de lumière et d'air.
Pourquoi le ciel est-il bleu ? => Le ciel est bleu parce que l'air répand la lumière bleue plus que les autres couleurs.
Pourquoi dormons-nous ?|Pourquoi faut-il dormir ? => Nous dormons parce que le corps et l'esprit ont besoin de repos.
Quel est le plus grand animal du monde ?|Quel animal est le plus grand ? => La baleine bleue est le plus grand animal du monde.
Quelle est la plus haute montagne du monde ? => L'Everest est la plus haute montagne du monde.
Oui.|Oui, s'il te plaît.|D'accord.|Bien. => Très bien ! Que veux-tu savoir ?
Non.|Non, merci. => D'accord. Demande-moi si tu as besoin de quelque chose.
"""
UNKNOWN_FRAMES = ["Qui était {x} ?", "Comment fonctionne {x} ?", "Explique-moi {x}.", "Que penses-tu de ceci : {x} ?", "Écris un texte sur {x}.", "Pourquoi {x} est important ?", "Quelle est l'histoire de {x} ?", "À quoi sert {x} ?", "Peux-tu m'expliquer {x} ?", "Dis-moi tout sur {x}."]
UNKNOWN_TOPICS = "la gravité;l'économie;la physique quantique;la démocratie;Napoléon;Albert Einstein;Shakespeare;Jules César;Mozart;la philosophie;le football;le jeu d'échecs;le droit;internet;l'électricité;la bourse;la chimie;la Révolution française;les mathématiques;un trou noir;l'évolution;l'énergie;le cerveau;la politique;la religion;la guerre;Picasso;Cléopâtre;l'univers;la médecine;la théorie de la relativité;un moteur;le parlement;l'impôt;l'opéra;la biologie;un volcan;Platon;Newton;Beethoven;l'Empire romain;la poésie;le cinéma;le tennis"
UNKNOWN_ANSWERS = [
    "Je suis un tout petit modèle, et je ne sais pas cela. Demande-moi une histoire, ou parle-moi d'animaux, de couleurs ou de capitales.",
    "Je suis désolé, je ne sais pas grand-chose là-dessus. Je peux raconter une histoire ou répondre à des questions simples.",
]
SYSTEM = ["Tu es un assistant utile.", "Réponds en français.", "Tu es Octet."]
CODE_REQUESTS = {
    "hello": ["Écris bonjour en Python.", "Écris un programme Python qui dit bonjour."],
    "add": ["Écris une fonction Python qui additionne deux nombres."],
    "loop": ["Écris une boucle Python qui compte jusqu'à dix."],
}
CODE_INTRO = ["Voici le code :"]
CODE_WORDS = ("Bonjour !", "pomme", "poire", "banane")
