// Prices baskets in two threads; a basket in a currency without a rate is a fault that is logged.
// With the argument `oom` it caches every price list instead.
import java.time.Instant;
import java.util.*;

public class Pricing {
    static final Map<String, Double> RATES = new HashMap<>(Map.of("EUR", 1.0, "USD", 0.9));
    static final List<long[]> CACHE = new ArrayList<>();

    static void say(String level, String text) {
        System.out.println(Instant.now().toString().substring(0, 23) + "Z " + level + " [" + Thread.currentThread().getName() + "] pricing - " + text);
    }

    static double convert(String currency, double amount) {
        return amount * RATES.get(currency);
    }

    static void price(int basket, String currency) {
        try {
            convert(currency, 10);
            say("INFO", "basket " + basket + " priced in " + currency);
        } catch (RuntimeException fault) {
            java.io.StringWriter text = new java.io.StringWriter();
            new IllegalStateException("basket " + basket + " cannot be priced", fault).printStackTrace(new java.io.PrintWriter(text));
            synchronized (System.out) {
                say("ERROR", "pricing failed");
                System.out.print(text);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        boolean oom = args.length > 0 && args[0].equals("oom");
        say("INFO", "pricing started");
        for (int basket = 1; basket <= 60; basket++) {
            if (oom) {
                CACHE.add(new long[120_000]);
                say("INFO", "price list " + basket + " loaded");
            } else {
                int number = basket;
                Thread worker = new Thread(() -> price(number, number > 30 && number % 5 == 0 ? "CHF" : number % 2 == 0 ? "EUR" : "USD"), "worker-" + basket % 2);
                worker.start();
            }
            Thread.sleep(300);
        }
    }
}
