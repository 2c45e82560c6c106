import java.util.logging.*;

public class Jobs {
    private static final Logger LOG = Logger.getLogger("com.acme.Jobs");

    static void run(int job) {
        if (job == 1) {
            throw new UnsupportedOperationException();
        }
    }

    public static void main(String[] args) {
        System.setProperty("java.util.logging.SimpleFormatter.format",
                "%1$tF %1$tT.%1$tL %4$s [main] %3$s - %5$s%6$s%n");
        for (int job = 0; job < 3; job++) {
            LOG.info("job " + job + " taken");
            try {
                run(job);
            } catch (RuntimeException e) {
                LOG.log(Level.SEVERE, "job " + job + " failed", e);
            }
        }
    }
}
