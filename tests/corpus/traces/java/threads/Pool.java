import java.util.concurrent.*;

public class Pool {
    static int deep(int n) {
        if (n == 0) {
            int[] empty = {};
            return empty[3];
        }
        return deep(n - 1);
    }

    public static void main(String[] args) throws Exception {
        Thread mailer = new Thread(() -> deep(3), "mail sender");
        mailer.start();
        mailer.join();
        System.out.println("main goes on");
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            pool.submit(() -> Class.forName("com.acme.Missing").getName()).get();
        } catch (ExecutionException e) {
            e.printStackTrace();
        }
        pool.shutdown();
        System.out.println("done");
    }
}
