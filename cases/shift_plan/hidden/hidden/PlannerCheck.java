package hidden;

import shop.rota.People;
import shop.rota.Planner;
import shop.rota.Shift;

public final class PlannerCheck {
    public static void main(String[] args) {
        Planner planner = new Planner(People.all());
        is("open", planner.assign(new Shift("tue", "fish")));
        is("Ada", planner.assign(new Shift("tue", "bakery")));
        is("Ben", planner.assign(new Shift("wed", "till")));
    }

    private static void is(String wanted, String found) {
        if (!wanted.equals(found)) {
            throw new AssertionError(wanted + " is not " + found);
        }
    }
}
