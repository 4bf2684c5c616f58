namespace TrainingService.Engine.Diagnostics;

/// <summary>
/// Eigenvalues of a symmetric matrix: Householder reflections make it tridiagonal, implicit QL steps with Wilkinson's shift diagonalise
/// that (Golub &amp; Van Loan, Matrix Computations, 8.3).
/// </summary>
internal static class SymmetricEigenvalues
{
    /// <param name="a">The lower triangle, row by row; it is overwritten.</param>
    /// <param name="cancellation">Looked at once a column.</param>
    public static double[] Of(double[][] a, CancellationToken cancellation)
    {
        var (diagonal, below) = Tridiagonal(a, cancellation);
        Diagonalize(diagonal, below);
        return diagonal;
    }

    /// <summary>
    /// From the last row up: A = A - v w' - w v', with the reflection I - 2 v v' / v'v that leaves of the row only
    /// its entry beside the diagonal.
    /// </summary>
    private static (double[] Diagonal, double[] Below) Tridiagonal(double[][] a, CancellationToken cancellation)
    {
        var n = a.Length;
        double[] diagonal = new double[n], below = new double[n], w = new double[n];
        for (var row = n - 1; row > 0; row--)
        {
            cancellation.ThrowIfCancellationRequested();
            diagonal[row] = a[row][row];
            var v = a[row].AsSpan(0, row);
            var scale = 0.0;
            foreach (var x in v)
                scale = Math.Max(scale, Math.Abs(x));
            if (scale == 0)
                continue;
            var squares = 0.0;
            for (var i = 0; i < row; i++)
                squares += (v[i] /= scale) * v[i];
            var norm = Math.CopySign(Math.Sqrt(squares), v[row - 1]);
            below[row] = -norm * scale;
            v[row - 1] += norm;
            var half = squares + norm * (v[row - 1] - norm);   // v'v / 2
            if (half == 0)
                continue;
            // w = A v / half, of which only the lower triangle is there
            Array.Clear(w, 0, row);
            for (var i = 0; i < row; i++)
            {
                var (sum, ai, vi) = (a[i][i] * v[i], a[i], v[i]);
                for (var j = 0; j < i; j++)
                {
                    sum += ai[j] * v[j];
                    w[j] += ai[j] * vi;
                }
                w[i] += sum;
            }
            var projection = 0.0;
            for (var i = 0; i < row; i++)
                projection += (w[i] /= half) * v[i];
            projection /= 2 * half;
            for (var i = 0; i < row; i++)
                w[i] -= projection * v[i];
            for (var i = 0; i < row; i++)
            {
                var (ai, vi, wi) = (a[i], v[i], w[i]);
                for (var j = 0; j <= i; j++)
                    ai[j] -= vi * w[j] + wi * v[j];
            }
        }
        if (n > 0)
            diagonal[0] = a[0][0];
        return (diagonal, below);
    }

    private static void Diagonalize(double[] diagonal, double[] below)
    {
        var n = diagonal.Length;
        // below[i] couples i and i + 1 from here on
        for (var i = 1; i < n; i++)
            below[i - 1] = below[i];
        if (n > 0)
            below[n - 1] = 0;
        for (var first = 0; first < n; first++)
            for (var iteration = 0; iteration < 50; iteration++)
            {
                var last = first;
                while (last < n - 1
                    && Math.Abs(below[last]) > double.Epsilon + 1e-16 * (Math.Abs(diagonal[last]) + Math.Abs(diagonal[last + 1])))
                    last++;
                if (last == first)
                    break;
                Step(diagonal, below, first, last);
            }
    }

    /// <summary>One implicit QL step on rows <paramref name="first"/> to <paramref name="last"/>.</summary>
    private static void Step(double[] diagonal, double[] below, int first, int last)
    {
        var ratio = (diagonal[first + 1] - diagonal[first]) / (2 * below[first]);
        var root = double.Hypot(ratio, 1);
        var shifted = diagonal[last] - diagonal[first] + below[first] / (ratio + Math.CopySign(root, ratio));
        double sine = 1, cosine = 1, carried = 0;
        for (var i = last - 1; i >= first; i--)
        {
            double f = sine * below[i], b = cosine * below[i];
            root = double.Hypot(f, shifted);
            below[i + 1] = root;
            if (root == 0)
            {
                // it has fallen apart: two smaller problems
                diagonal[i + 1] -= carried;
                below[last] = 0;
                return;
            }
            (sine, cosine) = (f / root, shifted / root);
            shifted = diagonal[i + 1] - carried;
            var turned = (diagonal[i] - shifted) * sine + 2 * cosine * b;
            carried = sine * turned;
            diagonal[i + 1] = shifted + carried;
            shifted = cosine * turned - b;
        }
        diagonal[first] -= carried;
        below[first] = shifted;
        below[last] = 0;
    }
}
