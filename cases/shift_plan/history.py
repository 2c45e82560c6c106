commit("2026-05-11 09:00", "Greta Lund", "Plan shifts by skill", {
"README.md": "# rota\n\nShifts are `DAY SKILL`, one a line.\n",
".gitignore": "out/\n",
"src/shop/rota/Main.java": '''package shop.rota;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.logging.Level;

public final class Main {
    public static void main(String[] args) throws Exception {
        Planner planner = new Planner(People.all());
        Log.say("INFO", "rota started with " + People.all().size() + " people");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            Shift shift = Shift.parse(line);
            Log.say("INFO", shift + ": " + planner.assign(shift));
        }
    }
}
''',
"src/shop/rota/Log.java": '''package shop.rota;

import java.time.Instant;

final class Log {
    static void say(String level, String text) {
        System.out.println(Instant.now() + " " + level + " [main] rota - " + text);
    }
}
''',
"src/shop/rota/Shift.java": '''package shop.rota;

public record Shift(String day, String skill) {
    public static Shift parse(String line) {
        String[] words = line.trim().split(" ");
        return new Shift(words[0], words[1]);
    }

    @Override
    public String toString() {
        return day + "/" + skill;
    }
}
''',
"src/shop/rota/Person.java": '''package shop.rota;

import java.util.Set;

public record Person(String name, Set<String> skills) {
    boolean can(String skill) {
        return skills.contains(skill);
    }
}
''',
"src/shop/rota/People.java": '''package shop.rota;

import java.util.List;
import java.util.Set;

public final class People {
    public static List<Person> all() {
        return List.of(
            new Person("Ada", Set.of("till", "bakery")),
            new Person("Ben", Set.of("till", "stock")),
            new Person("Cem", Set.of("stock")));
    }
}
''',
"src/shop/rota/Planner.java": '''package shop.rota;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

public final class Planner {
    private final List<Person> people;
    private final Map<String, Integer> load = new HashMap<>();

    public Planner(List<Person> people) {
        this.people = people;
    }

    /** The name of who works, or "open". */
    public String assign(Shift shift) {
        Person chosen = null;
        for (Person person : people) {
            if (!person.can(shift.skill())) {
                continue;
            }
            if (chosen == null || loadOf(person) < loadOf(chosen)) {
                chosen = person;
            }
        }
        if (chosen == null) {
            return "open";
        }
        load.merge(chosen.name(), 1, Integer::sum);
        return chosen.name();
    }

    private int loadOf(Person person) {
        return load.getOrDefault(person.name(), 0);
    }
}
'''})
commit("2026-05-26 10:20", "Greta Lund", "Drop an import that nothing uses", {
"src/shop/rota/Main.java": ("import java.util.logging.Level;\n", "")})
commit("2026-08-03 08:50", "Paul Ritter", "Dora joins", {
"src/shop/rota/People.java": ('''new Person("Cem", Set.of("stock")));''', '''new Person("Cem", Set.of("stock")),
            new Person("Dora", Set.of("till")));''')})
commit("2026-10-19 16:00", "Paul Ritter", "Describe skills", {"README.md": "# rota\n\nShifts are `DAY SKILL`, one a line; skills are till, bakery and stock.\n"})
commit("2026-11-17 09:30", "Paul Ritter", "Choose with a stream", {
"src/shop/rota/Planner.java": [("import java.util.HashMap;\n", "import java.util.Comparator;\nimport java.util.HashMap;\n"),
('''        Person chosen = null;
        for (Person person : people) {
            if (!person.can(shift.skill())) {
                continue;
            }
            if (chosen == null || loadOf(person) < loadOf(chosen)) {
                chosen = person;
            }
        }
        if (chosen == null) {
            return "open";
        }
''', '''        Person chosen = people.stream()
            .filter(person -> person.can(shift.skill()))
            .min(Comparator.comparingInt(this::loadOf))
            .orElseThrow();
''')]})
commit("2026-11-20 12:00", "Greta Lund", "Ada does the stock too", {
"src/shop/rota/People.java": ('Set.of("till", "bakery")', 'Set.of("till", "bakery", "stock")')})
right({"src/shop/rota/Planner.java": [("            .orElseThrow();\n", '''            .orElse(null);
        if (chosen == null) {
            return "open";
        }
''')]})
run("java -cp /tmp/rota-out shop.rota.Main", "mon till\nmon stock\ntue bakery\ntue fish\nwed till\n", build="javac -d /tmp/rota-out $(find src -name '*.java')")
