"""Given names from many countries, for telling a person from a product or a town.

Left out on purpose: names that are everyday English words, months or places more often than people (Will, May, Grant,
Paris, Florence).
"""

from __future__ import annotations

from engine.rules.sentence import word_set

GIVEN_NAMES = word_set("""
    aaron abby abdul abdullah abena abhishek abigail abraham adam adama adaeze adele adewale aditi aditya adrian
    adriana agata agnes agnieszka ahmad ahmed aidan aiko aileen aisha aisling aishwarya ajay akash akiko akira
    alan alastair albert alberto alejandra alejandro aleksander aleksandra alena alessandra alessandro alessia
    alex alexander alexandra alexandre alexis alfie alfonso alfred ali alice alicia alina alisa alison alistair
    allan allison alma alvaro álvaro amal amanda amar amara amber amelia amélia amelie amina amir amit amy ana
    anaïs anand ananya anastasia anders andre andré andrea andreas andrei andrej andrew andrews andrzej andy ángel
    ángela angela angelica angelo angus anika anil anita anjali anke ann anna annabel anne anneke annette annie
    annika anselm anthony antoine anton antonia antonio antónio anu anya aoife archie ariana arjun armando arne
    arnold arthur artur arun asad asha ashley ashok asif astrid atsushi audrey august augusto aurelie aurélie ava
    avery axel ayesha aylin ayşe babak barbara barry bart bartosz basil bastian beata beatrice beatriz becky ben
    benedict benedikt benjamin benoit benoît bernard bernardo bernd bernhard bernice bernie bert beth bethany
    betty bianca bjarne björn blessing bob bogdan bohdan boris brandon brenda brendan brent brian bridget brigitte
    britta bronwyn bruce bruna bruno bryan caitlin callum camila camille camilla carina carl carla carlo carlos
    carmen carol carolina caroline carolyn carrie carsten casper cassandra catarina catherine cathy catriona
    cecilia cecile cedric cédric celeste celia celina celine chandra chantal charles charlie chen cheryl chiara
    chidi chika chinedu chioma chloe chloé chris christa christelle christiane christina christine christoph
    christophe christopher christos ciara cillian cindy claire clara clare claudia claudio claus clemens clive
    cody colette colin colleen concetta connie connor conor conrad constance cora corinna corinne cornelia
    cornelius cristian cristiano cristina curtis cynthia cyril dagmar dai daisuke daisy damian damien dan dana
    daniel daniela daniele danielle danilo danny daphne daria darius darren dario daryl dave david davide dawid
    dawn deborah debbie deepa deepak deirdre delia denis denise dennis derek desmond detlef devika devon dewi
    dhruv diana diane diego dieter dietmar dilip dimitri dimitris dina dinesh dirk divya dmitri dmitry dolores
    domenico dominic dominik dominika dominique don donald donna dora doreen doris dorota dorothea dorothy doug
    douglas duncan dylan eamon eddie edgar edith eduardo edward edwin efua eileen einar ekaterina elaine eleanor
    elena eleni elham eli elias élise elif elina elisa elisabeth elise eliza elizabeth elke ella ellen ellie
    elliot elsa elvira emeka emil emilia emilie emilio emily emine emma emmanuel enrico enrique eoin erica eric
    erik erika erin ernest ernesto ernst erwin esmeralda esteban estelle esther eszter ethan eugene eugenia eunice
    eva evan evelyn ewa ewan fabian fabien fabio fabrice fadi farah farid fatima fatma fatou federica federico
    felicia felicity felipe felix ferdinand fergus fernanda fernando filip filippo finn fiona folasade folake
    francesca francesco francis francisco franck franco françois françoise frank franz frédéric fred freddie
    frederic frederick frederik freya friedrich fritz fumiko gabriel gabriela gabriele gabriella gail gareth gary
    gaurav gavin geert geeta gemma gennaro geoff geoffrey george georgina gerald gerard gerhard gerry gert
    gheorghe giacomo gianluca gianni gillian gina giorgio giovanni gisela gita giulia giuseppe glen glenn gloria
    godfrey gonzalo gordon göran graça graham greg gregor gregory greta grzegorz guadalupe guido guillaume
    guillermo gunnar günter günther gustav gustavo gwen habib hadiza haitham hakan hakim hamid hamish hamza hana
    hanna hannah hanne hanneke hans harald haris harish harold harriet harriett harry haruka haruki hassan heather
    hector hedda heidi heike heiko heinrich heinz helen helena helene helga helmut hendrik henk henri henriette
    henrik henrike henry herbert herman hermann hilary hilda hiroshi holger holly horst howard hugh hugo hui
    humberto hussein ian ibrahim ida ifeoma ignacio igor ike ilana ilaria ilka ilona ilse ilya imogen imran ina
    ines inês inés inga ingeborg ingo ingrid inka ioana ion irena irene irina iris irma isaac isabel isabella
    isabelle isaiah isla ismail ivan ivana ivo iwona jacek jackie jacob jacqueline jacques jaime jakob jakub jamal
    james jamie jan jana jane janet janice janina janine janusz jared jarosław jasmin jasmine jason javier jaya
    jean jeanette jeff jeffrey jelena jennifer jenny jens jeremy jerome jérôme jerry jesper jess jesse jessica
    jessie jesús jill jim jimmy jin jing jo joachim joan joana joanna joanne joão joaquín jochen jodie joe joel
    joelle johan johanna johannes john johnny jolanta jon jonas jonathan joost jorge joris jørgen josé jose josef
    josefina joseph josephine josh joshua joy joyce józef juan juana judith judy julia julian juliana juliane
    julie julien juliet julio julius jun june junko jürgen justin justyna jutta jule kai kamal kamil karan karel
    karen karim karin karina karl karla karolina karsten karthik kasia kasper kate katerina katarina katarzyna
    katharina katherine kathleen kathrin kathryn kathy katie katja katrin katrina kavi kavita kavya kay kayla
    kazuo keiko keith kelly kelvin ken kenji kenneth kenny kerry kerstin kevin khadija khaled khalid kieran kim
    kimberly kiran kirsten kirsty kjell klara klaus klára knut kofi konrad konstantin kris krishna kristen
    kristian kristin kristina kristof kristoffer krystyna krzysztof kumar kunal kurt kwabena kwame kyle lachlan
    laila lakshmi lars lasse lata latoya laura laurel lauren laurence laurent laurie lavinia lawrence layla lea
    leah leandro leanne lee leif leila lena lennart leon leona leonard leonardo leonie leonor leopold leslie
    lesley letícia lewis li liam lidia lila lilian lilly lily lin lina linda lindsay linus lionel lisa lisbet
    lisbeth liv liz lizzie ljubica lorena lorenzo loretta lorna lorraine lotta lotte lou louis louisa louise luc
    luca lucas lucia lucía luciana lucie lucinda lucy ludmila ludwig luigi luís luis luisa lukas łukasz luke lutz
    lydia lynn lyudmila maarten mable maciej mackenzie madeleine madison mads maeve magdalena magnus mahmoud mai
    maja malcolm malgorzata małgorzata malik malin mandy manfred manish manoj manon manuel manuela mara marc
    marcel marcela marcello marcia marcin marco marcos marcus marek maren margaret margarita margaux margit margot
    marguerite mari maria maría mariam marian mariana marianne marie marieke marija marijke marina mario marion
    marisa marit marius marjorie mark marko markus marlene marlon marsha marta martha martin martina martine
    marvin mary maryam mason massimo mateo mateusz mathias mathieu mathilde matilda matteo matthew matthias
    matthieu matthijs matti maureen maurice mauricio max maxim maxime maximilian maya md mechthild meena meera
    megan mehdi mehmet mei meike melanie melinda melissa mercedes meredith merete meryem mia michael michaela
    michal michał michel michela michele michelle mick mickey miguel mihai mika mikael mike mikhail mikkel mila
    milan milena milica millie milo mina ming minh miranda miriam mirjam miroslav misha mitch mitchell miyuki
    modupe mohamed mohammad mohammed mohan moira molly mona monica monika monique morag moritz morten mostafa
    moussa muhammad murat musa mustafa myriam nabil nadège nadia nadine nadja naomi narendra naresh natalia
    natalie natasha nathalie nathan nathaniel navin neha neil nelly nelson ngozi nia niall nicholas nick nicky
    nico nicola nicolai nicolas nicole nicoletta niels nigel nikhil nikita nikki nikola nikolai nikolaos nikos
    nils nina niamh nisha nitin noah noel noelle noemi nora norbert noriko norma norman nuno nuria núria oana
    obinna octavia odd odette ola olaf ole oleg oleksandr olena olga oliver olivia olivier oluwaseun omar ona oona
    orla oscar óscar oskar osman otto owen pablo paige pamela pankaj paolo paola parisa pascal patricia patricio
    patrick patrik paul paula paulina pauline paulo pavel paweł pedro peggy penelope penny per percy pernille
    perry petar pete peter petr petra petros petter philip philipp philippa philippe phillip phoebe phyllis pia
    pierre piers pieter pietro pilar piotr piers pooja poppy pradeep prakash pramod prasad praveen preeti preethi
    priscilla priti priya priyanka quentin rachael rachel radek radoslav rafael rafał raffaele raghav rahul rainer
    raj raja rajesh rajiv rakesh ralf ralph ramesh ramón ramona randall randy rania ranjit raphael raquel rashid
    rasmus raul raúl ravi raymond rebecca reem regina reinhard reiner reinhold rené rene renata renate renske
    renee reza rhiannon rhys ricardo richard rick ricky riitta rita ritu rob robbie robert roberta roberto robin
    rocío rodney rodolfo rodrigo roger rohan rohit roisin róisín roland rolf roman romain ron ronald ronan ronnie
    rory rosa rosalind rosanna roberta rosemary ross rowan roxana roxanne roy ruben rubén ruby rudi rudolf rune
    rupert russell ruth ryan saad sabina sabine sabrina said sally salma salman salome sam samantha sami samir
    samira samuel sandeep sander sandra sandy sanjay sanjeev sanna santiago sara sarah saskia satish satoshi saul
    saurabh scott seamus séamus sean seán sebastian sebastien sébastien selena selim selma semih serena serge
    sergei sergey sergio seth shabnam shalini shane shankar shannon shantanu sharon shauna shaun shawn sheila
    shelley sheryl shilpa shinji shira shirley shivani shreya shweta siân sian sibylle sid siddharth sidney
    siegfried sigrid silke silvia silvio simon simona simone siobhan sinead sinéad skye slawomir sławomir snezana
    sofia sofie solveig sonia sonja sophia sophie søren soren soumya stacey stacy stan stanislav stefan stefania
    stefanie stefano steffen stella steph stephan stephanie stéphane stephen sterling steve steven stewart stuart
    sudha suleiman sumit sunil sunita suresh surya susan susana susanna susanne susie suzanne suzuki svein sven
    svenja svetlana swati sybille sylvia sylvie tabitha tadeusz takashi talia tamara tamás tamsin tania tanja
    tanya tara tariq tatiana ted teodora terence teresa teri terje terry tess tessa thabo thanh thea theo theodor
    theodore theresa therese thérèse thierry thijs thomas thorsten tiago tibor tilda till tim timo timothy tina
    tobias toby todd tom tomas tomás tomáš tomasz tommaso tommy toni tony torben tore torsten tracey tracy trevor
    tricia trine tristan trish trudy tyler tyrone udo ulf ulla ulrich ulrike umar umberto ursula usha uta ute uwe
    vadim valentin valentina valeria valerie valérie vanessa vanya varun vasile vasilis vera verena veronica
    veronika véronique vicente vicki vicky victor vijay vikas vikram viktor viktoria vincent vincenzo vinod viola
    violet violeta virginia vishal vito vivek vivian vivien viviane vladimir volker waldemar walid walt walter
    wanda warren wayne wei wendy wenche werner wes wesley wiebke wiktor wilfred wilhelm willem willy wilma winston
    wojciech wolfgang xavier xin yan yannick yara yasmin yasmine yasuko yi ying yoko yolanda yoshiko youssef yuki
    yukiko yulia yuri yusuf yuto yvette yvonne zac zach zachary zahra zainab zane zara zeynep zoe zoë zofia zoltán
    zsófia zuzana
""") - word_set("august june md will don odd christian said")
